"""What a Tradovate account holds: its entities come in, positions and balances go out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.outcomes import Position
from fillpath_brokers.canonical import root_of
from fillpath_brokers.documents import number, number_or_none, readable
from fillpath_brokers.facade import Balances, VenueAccount
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.capabilities import CAPABILITIES
from fillpath_brokers.tradovate.reading import Document, Reading
from fillpath_brokers.tradovate.refusals import failure_in
from fillpath_brokers.tradovate.settings import Settings


class Holdings:
    """Of one account. Raises BrokerUnavailable."""

    def __init__(self, calls: Calls, reading: Reading, settings: Settings) -> None:
        self._calls = calls
        self._reading = reading
        self._settings = settings

    def accounts(self) -> tuple[VenueAccount, ...]:
        """Every account of the login, by its name: the one that settings and people know it by."""
        listed = self._reading.accounts()
        with readable("Tradovate's accounts"):
            kinds = CAPABILITIES.asset_classes
            return tuple(_account(each, self._settings.currency, kinds) for each in listed)

    def held(self) -> list[Document]:
        """The positions that are not flat."""
        listed = self._calls.listed("position/deps", masterid=self._reading.account().number, urgent=True)
        with readable("Tradovate's positions"):
            return [each for each in listed if number(each["netPos"])]

    def positions(self) -> tuple[Position, ...]:
        """Every held contract; one outside the catalogue is shown as Tradovate spells it."""
        held = self.held()
        with readable("Tradovate's positions"):
            names = self._reading.names({int(each["contractId"]) for each in held})
            return tuple(_position(each, names[int(each["contractId"])]) for each in held)

    def balances(self) -> Balances:
        """Cash, equity and results; what was paid in fees is part of the cash and told nowhere as a sum."""
        cash = self.snapshot()
        with readable("Tradovate's balance"):
            held = amount(cash, "totalCashValue") + amount(cash, "openPnL")
            return Balances(
                currency=self._settings.currency,
                cash=amount(cash, "totalCashValue"),
                equity=held if cash.get("netLiq") is None else amount(cash, "netLiq"),
                margin_used=amount(cash, "initialMargin"),
                realised_pnl=number_or_none(cash.get("realizedPnL")),
                unrealised_pnl=number_or_none(cash.get("openPnL")),
                commission=None,
            )

    def snapshot(self) -> Document:
        """What the account is worth now."""
        reply = self._calls.post("cashBalance/getcashbalancesnapshot", {"accountId": self._reading.account().number})
        document = reply.json() if reply.ok else None
        if not isinstance(document, dict) or failure_in(document):
            raise BrokerUnavailable(f"Tradovate gives no balance: {(failure_in(document) or ('', reply.text))[1]}")
        return document


def amount(document: Mapping[str, Any], *names: str) -> Decimal:
    """The first of these figures that is told."""
    return next((number(document[name]) for name in names if document.get(name) is not None), Decimal(0))


def _position(held: Document, contract: str) -> Position:
    return Position(contract, root_of(contract), number(held["netPos"]), number_or_none(held.get("netPrice")))


def _account(record: Document, currency: str, kinds: frozenset[str]) -> VenueAccount:
    name = str(record["name"])
    return VenueAccount(name, str(record.get("nickname") or name), currency, kinds)

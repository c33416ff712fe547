"""What an Alpaca account holds: its documents come in, positions and balances go out."""

from decimal import Decimal

from fillpath.orders.outcomes import Position
from fillpath_brokers.alpaca.calls import Calls, Document
from fillpath_brokers.alpaca.capabilities import CAPABILITIES
from fillpath_brokers.alpaca.symbols import shown
from fillpath_brokers.canonical import root_of
from fillpath_brokers.documents import number, number_or_none, readable
from fillpath_brokers.facade import Balances, VenueAccount

_POSITIONS = "/v2/positions"


class Holdings:
    """Of one account. Raises BrokerUnavailable."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The one account that the keys reach."""
        record = self._calls.account_record()
        with readable("Alpaca's account"):
            name = str(record["account_number"])
            return (VenueAccount(name, f"{record['status']} {name}", record["currency"], CAPABILITIES.asset_classes),)

    def positions(self) -> tuple[Position, ...]:
        """Every held share; a symbol outside the catalogue is shown as Alpaca spells it."""
        held = self._calls.listed(_POSITIONS, urgent=True)
        with readable("Alpaca's positions"):
            return tuple(_position(each) for each in held)

    def balances(self) -> Balances:
        """Cash, equity and fees; Alpaca tells no realised result."""
        record, held = self._calls.account_record(), self._calls.listed(_POSITIONS)
        with readable("Alpaca's account"):
            return Balances(
                currency=record["currency"],
                cash=number(record["cash"]),
                equity=number(record["equity"]),
                margin_used=number(record.get("initial_margin") or 0),
                realised_pnl=None,
                unrealised_pnl=sum((number(each["unrealized_pl"]) for each in held), Decimal(0)),
                commission=number_or_none(record.get("accrued_fees")),
            )


def _position(held: Document) -> Position:
    quantity = abs(number(held["qty"]))
    contract = shown(held["symbol"])
    signed = -quantity if held["side"] == "short" else quantity
    return Position(contract, root_of(contract), signed, number(held["avg_entry_price"]))

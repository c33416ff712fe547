"""What a login reaches at TradeStation: its accounts, and what one of them holds. Its documents come in, our records go out."""

from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.orders.outcomes import Position
from fillpath_brokers.canonical import root_of
from fillpath_brokers.documents import number, number_or_none, readable
from fillpath_brokers.facade import Balances, VenueAccount
from fillpath_brokers.tradestation.refusals import errors_in, read
from fillpath_brokers.tradestation.sessions import Sessions
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.symbols import shown
from fillpath_brokers.web import Reply, part

Record = dict[str, Any]

_TRADES = {
    "Futures": frozenset({"future"}),
    "Cash": frozenset({"equity"}),
    "Margin": frozenset({"equity"}),
    "DVP": frozenset({"equity"}),
}


class Holdings:
    """Of one login, and of the account that it trades. Raises BrokerUnavailable; Unsupported if it is not clear which account."""

    def __init__(self, sessions: Sessions, settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings
        self._own_id = settings.account or None

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The accounts that can trade something of ours."""
        with readable("TradeStation's accounts"):
            return tuple(_account(each) for each in self._records() if each.get("AccountType") in _TRADES)

    def own_id(self) -> str:
        """The number of the account to trade: the one that was set, or the only one there is."""
        if self._own_id is None:
            known = self.accounts()
            if len(known) != 1:
                names = ", ".join(f"{each.account_id} ({each.name})" for each in known) or "none that trades futures or shares"
                raise Unsupported(
                    f"which account is to trade? ./fillpath account set ID --set account=NUMBER; there are: {names}"
                )
            self._own_id = known[0].account_id
        return self._own_id

    def own(self) -> Record:
        """The record of the account to trade."""
        number = self.own_id()
        found = next((each for each in self._records() if each.get("AccountID") == number), None)
        if found is None:
            raise Unsupported(f"this login has no account {number}")
        return found

    def base(self) -> str:
        """The account's own address."""
        return f"{self._settings.api_url}/v3/brokerage/accounts/{part(self.own_id())}"

    def positions(self) -> tuple[Position, ...]:
        """Every held contract; a symbol outside the catalogue is shown as TradeStation spells it."""
        held = _listed(self._sessions.positions.read(f"{self.base()}/positions", urgent=True), "Positions")
        with readable("TradeStation's positions"):
            return tuple(position for position in map(_position, held) if position.quantity)

    def balance(self) -> Record:
        """The account's balance as TradeStation tells it."""
        balances = _listed(self._sessions.balances.read(f"{self.base()}/balances"), "Balances")
        if not balances:
            raise BrokerUnavailable(f"TradeStation tells no balance of {self.own_id()}")
        return balances[0]

    def balances(self) -> Balances:
        """Cash, equity and results; the currency is that of the account."""
        balance, currency = self.balance(), str(self.own().get("Currency") or "USD")
        with readable("TradeStation's balance"):
            detail = balance.get("BalanceDetail") or {}
            margin = detail.get("InitialMargin") or detail.get("RequiredMargin")
            return Balances(
                currency=currency,
                cash=_amount(balance.get("CashBalance")),
                equity=_amount(balance.get("Equity")),
                margin_used=_amount(margin),
                realised_pnl=number_or_none(detail.get("RealizedProfitLoss")),
                unrealised_pnl=number_or_none(detail.get("UnrealizedProfitLoss")),
                commission=number_or_none(balance.get("Commission")),
            )

    def _records(self) -> list[Record]:
        return _listed(self._sessions.accounts.read(f"{self._settings.api_url}/v3/brokerage/accounts"), "Accounts")


def trades(record: Record) -> frozenset[str]:
    """The asset classes that an account of this type may trade."""
    return _TRADES.get(str(record.get("AccountType")), frozenset())


def _account(record: Record) -> VenueAccount:
    number = str(record["AccountID"])
    name = ", ".join(str(record[each]) for each in ("Alias", "AccountType", "Status") if record.get(each))
    return VenueAccount(number, name, str(record.get("Currency") or "USD"), trades(record))


def _position(held: Record) -> Position:
    contract = shown(str(held["Symbol"]))
    quantity = number(held["Quantity"])  # negative when short; the side is told besides
    signed = -abs(quantity) if held.get("LongShort") == "Short" else quantity
    return Position(contract, root_of(contract), signed, number_or_none(held.get("AveragePrice")))


def _listed(reply: Reply, name: str) -> list[Record]:
    document = reply.json() if reply.ok else None
    if not isinstance(document, dict):
        raise BrokerUnavailable(f"TradeStation answers {reply.status}: {read(reply)}")
    if errors_in(document) or not isinstance(document.get(name), list):
        raise BrokerUnavailable(f"TradeStation does not tell the {name.lower()}: {read(reply)}")
    found: list[Record] = document[name]
    return found


def _amount(text: str | None) -> Decimal:
    return number_or_none(text) or Decimal(0)

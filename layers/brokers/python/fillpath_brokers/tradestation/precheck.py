"""Whether TradeStation would refuse an order now: account, balance, symbol and a preview come in, a refusal or None goes out.

Buying power is reckoned: what a position frees when it is closed counts as available. The preview of a futures order tells its
margin; how it is written there is not documented, and where it cannot be read nothing is refused for it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.market.instruments import Instrument
from fillpath.orders.model import Leg, Side
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.canonical import many
from fillpath_brokers.documents import number, number_or_none, readable
from fillpath_brokers.prechecks import not_whole, too_dear
from fillpath_brokers.tradestation.capabilities import NAME
from fillpath_brokers.tradestation.details import Details
from fillpath_brokers.tradestation.holdings import Holdings, trades
from fillpath_brokers.tradestation.refusals import errors_in, read, refusal
from fillpath_brokers.tradestation.sessions import Sessions
from fillpath_brokers.tradestation.terms import TermsOf
from fillpath_brokers.tradestation.wire import Terms, order_body
from fillpath_brokers.web import Request, part

_ACTIVE = "Active"
_AMOUNT = re.compile(r"[\d,]+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Precheck:
    """Of one account."""

    sessions: Sessions
    url: str
    holdings: Holdings
    details: Details
    terms: TermsOf

    def would_refuse(self, leg: Leg, instrument: Instrument, after_closing: Decimal) -> Rejected | None:
        """The first reason against the leg, once `after_closing` (signed) of its root is closed; BrokerUnavailable."""
        terms = self.terms(leg.contract)
        refused = not_whole(leg, NAME) or _account(leg, instrument, self.holdings.own())
        if refused := refused or self.details.misread(terms.symbol, instrument):
            return refused
        if leg.reduce_only:
            return None
        each = self._share_price(leg, terms) if instrument.kind == "equity" else self._margin(leg, terms, after_closing)
        return each if isinstance(each, Rejected) else self._too_dear(leg, each, after_closing)

    def _too_dear(self, leg: Leg, each: Decimal | None, after_closing: Decimal) -> Rejected | None:
        if each is None:
            return None
        with readable("TradeStation's balance"):
            available = number(self.holdings.balance()["BuyingPower"]) + abs(after_closing) * each
        return too_dear(leg.quantity * each, available, "buying power")

    def _share_price(self, leg: Leg, terms: Terms) -> Decimal | None:
        if price := leg.limit_price or leg.stop_price:
            return price
        reply = self.sessions.quotes.read(f"{self.url}/v3/marketdata/quotes/{part(terms.symbol)}")
        quotes = _document(reply.json() if reply.ok else None, read(reply)).get("Quotes") or []
        with readable("TradeStation's quote"):
            return number_or_none(quotes[0].get("Last")) if quotes else None

    def _margin(self, leg: Leg, terms: Terms, after_closing: Decimal) -> Decimal | Rejected | None:
        """Of one contract. A preview that fails for want of margin says nothing while a position is still to be closed."""
        plain = leg.model_copy(update={"take_profit": None, "stop_loss": None})
        body = order_body(plain, terms)
        body.pop("OrderConfirmID", None)
        reply = self.sessions.execution.send(Request("POST", f"{self.url}/v3/orderexecution/orderconfirm", json=body, safe=True))
        document = _document(reply.json() if reply.status < 500 else None, read(reply))
        if errors_in(document):
            refused = refusal(read(reply))
            return None if after_closing and refused.reason == "insufficient_margin" else refused
        confirmations = document.get("Confirmations") or [{}]
        amount = _AMOUNT.search(str(confirmations[0].get("InitialMarginDisplay") or ""))
        return Decimal(amount[0].replace(",", "")) / leg.quantity if amount else None


def _account(leg: Leg, instrument: Instrument, record: Mapping[str, Any]) -> Rejected | None:
    number, kind, status = record["AccountID"], record.get("AccountType"), record.get("Status")
    if instrument.kind not in trades(dict(record)):
        return Rejected("unsupported", f"{number} is a {kind} account: it does not trade {many(instrument.kind)}")
    if leg.reduce_only:
        return None
    if status != _ACTIVE:
        return Rejected("account_blocked", f"TradeStation says of {number}: {status}")
    if instrument.kind == "equity" and leg.side is Side.SELL and kind != "Margin":
        return Rejected("short_not_allowed", f"{number} is a {kind} account: it cannot sell short")
    return None


def _document(document: object, text: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise BrokerUnavailable(f"TradeStation cannot be read: {text}")
    return document

"""Placing, changing and cancelling at TradeStation. In: legs, references, changes; out: outcomes. Each request is sent once.

A 4xx, or a 200 that holds nothing but errors, is evidence that nothing was placed; an answer with neither orders nor errors is
none. Of a group some orders may be taken and others not: they are taken back, where that can still be done.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from fillpath.clock import Clock
from fillpath.errors import BrokerError, BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Rejected, Unknown
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.facade import Change, OrderRef
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.pairs import exits_wanted, pair_id
from fillpath_brokers.prechecks import not_whole
from fillpath_brokers.sending import ask_each, before_sending, is_refusal, not_done, send_once
from fillpath_brokers.session import Session
from fillpath_brokers.tradestation.book import OrderBook
from fillpath_brokers.tradestation.capabilities import NAME
from fillpath_brokers.tradestation.details import Details
from fillpath_brokers.tradestation.holdings import Holdings
from fillpath_brokers.tradestation.listing import Listing
from fillpath_brokers.tradestation.refusals import (
    errors_in,
    has_ended,
    is_duplicate,
    is_in_doubt,
    is_of_account,
    own_text,
    read,
    refusal,
    text_of,
)
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.taking_back import TakingBack
from fillpath_brokers.tradestation.terms import TermsOf
from fillpath_brokers.tradestation.wire import (
    Terms,
    change_bodies,
    closing_body,
    group_body,
    in_order,
    order_body,
    related,
)
from fillpath_brokers.web import SUBMIT_S, Reply, Request, part

_NOT_FOUND = 404
_EXITS_WITHIN_S, _EXITS_EVERY_S = 1.0, 0.3
_log = logging.getLogger(__name__)


class Tools(NamedTuple):
    """What all of an account's doings work with."""

    session: Session
    terms: TermsOf
    listing: Listing
    book: OrderBook
    details: Details
    holdings: Holdings
    hours: MarketHours
    settings: Settings
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Part:
    """Orders of a group that were taken, and why the others were not."""

    ids: tuple[str, ...]
    text: str


class Placing:
    """One account's orders, as far as they are made and changed."""

    def __init__(self, tools: Tools) -> None:
        self._session, self._terms, self._listing, self._book = tools.session, tools.terms, tools.listing, tools.book
        self._details, self._holdings = tools.details, tools.holdings
        self._hours, self._settings, self._clock = tools.hours, tools.settings, tools.clock
        self._url = f"{tools.settings.api_url}/v3/orderexecution"
        self._taking_back = TakingBack(tools.listing, self._cancel, tools.clock)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg. Of a bracket TradeStation is asked for its exits at once; where it does not show them it is in doubt."""
        with before_sending():
            terms = self._terms(leg.contract)
            refused = not_whole(leg, NAME) or self._misread(leg, terms)
        if refused:
            return refused
        pair = leg.type is OrderType.OCO
        body = group_body(leg, terms) if pair else order_body(leg, terms)
        url = f"{self._url}/{'ordergroups' if pair else 'orders'}"
        request = Request("POST", url, json=body, timeout_s=SUBMIT_S, urgent=leg.reduce_only)
        return self._hours.explained(send_once(self._session, request, lambda reply: self._placed(reply, leg)), leg.contract)

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order, which keeps its id; of a pair each order that it concerns, one after the other."""
        with before_sending():
            orders = self._book.find(ref)
            view = self._book.view(orders, ref) if orders else None
        if view is None:
            return Rejected("not_found", f"{NAME} shows no order {ref.client_order_id}")
        wanted = change_bodies(change, orders)
        if not wanted:
            return Rejected("unsupported", "nothing of the order can be changed so")
        return self._change_all(wanted) or Accepted(view)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both. What has ended stays as it is."""
        ask_each(self._book.ids(ref), self._cancel)

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order, one by one; children are cancelled with their entry."""
        ask_each(self._book.working(), self._cancel)

    def liquidate(self, contract: str) -> None:
        """Close the position with a market order; nothing happens where nothing is held."""
        held = next((each.quantity for each in self._holdings.positions() if each.contract == contract), None)
        if not held:
            return
        body = closing_body(held, self._terms(contract))
        request = Request("POST", f"{self._url}/orders", json=body, timeout_s=SUBMIT_S, urgent=True)
        outcome = send_once(self._session, request, self._taken)
        if not isinstance(outcome, tuple):
            raise BrokerUnavailable(f"{contract} was not closed for certain: {outcome.text}")

    def _misread(self, leg: Leg, terms: Terms) -> Rejected | None:
        prices = (leg.limit_price, leg.stop_price, leg.trail_amount, leg.take_profit, leg.stop_loss)
        if terms.kind != "future" or not any(prices):
            return None
        return self._details.misread(terms.symbol, instrument_behind(leg.contract))

    def _placed(self, reply: Reply, leg: Leg) -> Outcome:
        ids = self._taken(reply)
        if isinstance(ids, _Part):
            return self._taking_back.outcome(leg, ids.ids, ids.text)
        if isinstance(ids, Rejected | Unknown):
            return ids
        if exits_wanted(leg):
            return self._with_exits(leg, ids)
        if len(ids) != (2 if leg.type is OrderType.OCO else 1):
            return Unknown(f"{NAME}'s answer names {len(ids)} orders: {', '.join(ids)}")
        return Accepted(LegView(LegStatus.WORKING, pair_id(ids)))

    def _taken(self, reply: Reply) -> tuple[str, ...] | _Part | Rejected | Unknown:
        """The ids that TradeStation gave to what it took, in the order of their numbers."""
        if refused := _refused(reply):
            return refused
        document = reply.json()
        errors, ids = errors_in(document), _ids(document)
        if not errors:
            return ids or Unknown(f"{NAME}'s answer has neither orders nor errors")
        text = reply.hide(text_of(errors))
        if is_duplicate(text):
            return Unknown(f"{NAME} has had an order under this confirmation id: {text}")
        if is_in_doubt(text):
            return Unknown(f"{NAME}: {text}")
        return _Part(ids, text) if ids else refusal(text)

    def _with_exits(self, leg: Leg, ids: Sequence[str]) -> Outcome:
        """The entry among the orders that were taken, with its exits."""
        give_up = self._clock.now() + timedelta(seconds=_EXITS_WITHIN_S)
        while self._clock.now() < give_up:
            try:
                shown = self._listing.by_id(ids)
                entries = [order for order in shown if not related(order, "OSP", "BRK", "OCO")]
                if len(entries) == 1:
                    return Accepted(self._book.entry_view(entries[0], leg))
            except BrokerError:  # whatever it is, it is not about the order that was placed
                _log.warning("the exits of %s cannot be read yet", leg.client_order_id)
            self._clock.sleep(_EXITS_EVERY_S)
        return Unknown(f"{NAME} took the orders {', '.join(ids)}, and does not show which exits belong to the entry")

    def _change_all(self, wanted: Sequence[tuple[str, Mapping[str, str]]]) -> Rejected | Unknown | None:
        """None: all were sent on. What goes wrong after the first leaves half a change."""
        for number, (order_id, body) in enumerate(wanted):
            request = Request("PUT", self._order_url(order_id), json=body, timeout_s=SUBMIT_S)
            try:
                refused = send_once(self._session, request, _changed)
            except BrokerError as exc:
                if not number:
                    raise
                refused = Unknown(str(exc))
            if refused and number:
                return Unknown(f"the order {wanted[0][0]} was changed, {order_id} was not: {refused.text}")
            if refused:
                return refused
        return None

    def _cancel(self, order_id: str) -> None:
        reply = self._session.send(Request("DELETE", self._order_url(order_id), urgent=True))
        if reply.ok and not errors_in(reply.json()):
            return
        if not self._nothing_to_cancel(reply, order_id):
            raise BrokerUnavailable(f"{NAME} answers the cancellation of {order_id} with {reply.status}: {read(reply)}")

    def _nothing_to_cancel(self, reply: Reply, order_id: str) -> bool:
        """Whether a cancellation was not taken because the order has ended, or is about to."""
        text = own_text(reply)
        if has_ended(text) or (text and reply.status == _NOT_FOUND and not is_of_account(text)):
            return True
        return bool(text) and (reply.ok or is_refusal(reply)) and self._book.is_over(order_id)

    def _order_url(self, order_id: str) -> str:
        return f"{self._url}/orders/{part(order_id)}"


def _changed(reply: Reply) -> Rejected | Unknown | None:
    if refused := _refused(reply):
        return refused
    document = reply.json()
    if errors := errors_in(document):
        return refusal(text_of(errors))
    known = isinstance(document, Mapping) and document.get("OrderID")
    return None if known else Unknown(f"{NAME}'s answer to the change names no order")


def _refused(reply: Reply) -> Rejected | Unknown | None:
    if reply.ok:
        return None
    text = read(reply)
    return Unknown(text) if is_duplicate(text) else not_done(reply, lambda _: refusal(text), NAME, text)


def _ids(document: Any) -> tuple[str, ...]:
    orders = document.get("Orders") if isinstance(document, Mapping) else None
    found = [each for each in orders or () if isinstance(each, Mapping) and not each.get("Error")]
    return in_order(str(each["OrderID"]) for each in found if each.get("OrderID"))

"""Placing and changing orders: request bodies come in, outcomes go out. Each request is sent once.

A 4xx, or a 200 that holds nothing but errors, is evidence that nothing was placed; an answer with neither orders nor errors is
none. Of a group some orders may be taken and others not: then those that were taken are cancelled again, and the refusal counts
only once they are seen to have ended without a fill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fillpath.errors import BrokerError, BrokerUnavailable
from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Rejected, Unknown
from fillpath_brokers.pairs import pair_id
from fillpath_brokers.session import Session
from fillpath_brokers.tradestation.listing import Listing
from fillpath_brokers.tradestation.refusals import errors_in, has_ended, is_duplicate, read, refusal, text_of
from fillpath_brokers.tradestation.wire import in_order, own_view
from fillpath_brokers.web import SUBMIT_S, Reply, Request

_AMBIGUOUS = {408, 425}
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Taken:
    """The ids that TradeStation gave to what it took, in the order of their numbers."""

    ids: tuple[str, ...]


class Placing:
    """Sends orders of one account."""

    def __init__(self, session: Session, url: str, listing: Listing) -> None:
        self._session = session
        self._url = f"{url}/v3/orderexecution"
        self._listing = listing

    def place(self, body: Mapping[str, Any], *, group: bool = False, urgent: bool = False) -> Taken | Rejected | Unknown:
        """Send an order, or a group of them."""
        url = f"{self._url}/{'ordergroups' if group else 'orders'}"
        reply = self._session.send(Request("POST", url, json=body, timeout_s=SUBMIT_S, urgent=urgent))
        if refused := _refused(reply):
            return refused
        document = reply.json()
        errors = errors_in(document)
        ids = _ids(document)
        if not errors:
            return Taken(ids) if ids else Unknown("TradeStation's answer has neither orders nor errors")
        text = text_of(errors)
        if is_duplicate(text):
            return Unknown(f"TradeStation has had an order under this confirmation id: {text}")
        return self._undone(ids, text) if ids else refusal(text)

    def change_all(self, wanted: Sequence[tuple[str, Mapping[str, str]]]) -> Rejected | Unknown | None:
        """Change orders, one after the other; None: all were sent on. What goes wrong after the first leaves half a change."""
        for number, (order_id, body) in enumerate(wanted):
            try:
                refused = self._change(order_id, body)
            except BrokerError as exc:
                if not number:
                    raise
                refused = Unknown(str(exc))
            if refused and number:
                return Unknown(f"the order {wanted[0][0]} was changed, {order_id} was not: {refused.text}")
            if refused:
                return refused
        return None

    def cancel(self, order_id: str) -> None:
        """Ask for the cancellation of one order. What has ended stays as it is; BrokerUnavailable."""
        reply = self._session.send(Request("DELETE", self._order_url(order_id), urgent=True))
        errors = errors_in(reply.json()) if reply.ok else ({"Message": read(reply)},)
        if errors and reply.status != _NOT_FOUND and not has_ended(text_of(errors)):
            raise BrokerUnavailable(f"TradeStation answers the cancellation with {reply.status}: {text_of(errors)}")

    def _change(self, order_id: str, body: Mapping[str, str]) -> Rejected | Unknown | None:
        reply = self._session.send(Request("PUT", self._order_url(order_id), json=body, timeout_s=SUBMIT_S))
        if refused := _refused(reply):
            return refused
        document = reply.json()
        if errors := errors_in(document):
            return refusal(text_of(errors))
        known = isinstance(document, Mapping) and document.get("OrderID")
        return None if known else Unknown("TradeStation's answer to the change names no order")

    def _undone(self, ids: Sequence[str], text: str) -> Rejected | Unknown:
        """Part of a group was refused: take back the rest, and look whether it is gone."""
        doubt = Unknown(f"TradeStation took a part only ({', '.join(ids)}): {text}")
        try:
            for order_id in ids:
                self.cancel(order_id)
            views = [own_view(order) for order in self._listing.by_id(ids)]
        except BrokerError:  # whatever it is, it is not about the order that was placed
            return doubt
        gone = len(views) == len(ids) and all(view.status.ended and not view.filled_quantity for view in views)
        return refusal(text) if gone else doubt

    def _order_url(self, order_id: str) -> str:
        return f"{self._url}/orders/{order_id}"


def accepted(ids: Sequence[str]) -> Outcome:
    """That an order, or a pair, was taken; nothing else is known of it yet."""
    return Accepted(LegView(LegStatus.WORKING, pair_id(ids)))


def _refused(reply: Reply) -> Rejected | Unknown | None:
    if reply.ok:
        return None
    if 400 <= reply.status < 500 and reply.status not in _AMBIGUOUS:
        text = read(reply)
        return Unknown(text) if is_duplicate(text) else refusal(text)
    return Unknown(f"TradeStation answers {reply.status}: {read(reply)}")


def _ids(document: Any) -> tuple[str, ...]:
    orders = document.get("Orders") if isinstance(document, Mapping) else None
    found = [each for each in orders or () if isinstance(each, Mapping) and not each.get("Error")]
    return in_order(str(each["OrderID"]) for each in found if each.get("OrderID"))

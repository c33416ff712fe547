"""Placing, changing and cancelling at Alpaca. In: legs, references, changes; out: outcomes. Each order is sent once."""

from fillpath.errors import BrokerError, BrokerUnavailable
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import Accepted, Outcome, Rejected, Unknown
from fillpath_brokers.alpaca.book import OrderBook
from fillpath_brokers.alpaca.calls import Calls, Document, answer_in, is_absent
from fillpath_brokers.alpaca.capabilities import NAME
from fillpath_brokers.alpaca.look_up import LookUp, is_pair
from fillpath_brokers.alpaca.refusals import is_duplicate, read, refusal
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.alpaca.symbols import to_venue
from fillpath_brokers.alpaca.wire import change_body, is_over, order_body, own_view
from fillpath_brokers.canonical import as_spelled
from fillpath_brokers.documents import readable
from fillpath_brokers.facade import Change, OrderRef
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.pairs import ids_of, pair_id
from fillpath_brokers.sending import ask_each, before_sending, is_refusal, not_done, send_once
from fillpath_brokers.web import SUBMIT_S, Reply, Request, part

_REFUSED = 400


class Placing:
    """One account's orders, as far as they are made and changed."""

    def __init__(self, calls: Calls, look_up: LookUp, book: OrderBook, hours: MarketHours, settings: Settings) -> None:
        self._calls = calls
        self._look_up = look_up
        self._book = book
        self._hours = hours
        self._settings = settings

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg; a duplicate of an id that Alpaca knows answers with the first order."""
        body = order_body(leg, to_venue(leg.contract), extended_hours=self._settings.extended_hours)
        request = Request("POST", self._calls.url("/v2/orders"), json=body, timeout_s=SUBMIT_S, urgent=leg.reduce_only)
        return send_once(self._calls, request, lambda reply: self._placed(reply, leg))

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order, of a pair the one that has the price; it goes on under a new id."""
        with before_sending():
            order = self._look_up.order(ref)
            orders = [] if order is None else self._orders(order, ref)
        if not orders:
            return Rejected("not_found", f"{NAME} shows no order {ref.client_order_id}")
        concerned = [each for each in orders if _concerns(each, change, alone=len(orders) == 1)]
        if len(concerned) != 1:
            return Rejected("unsupported", "of a pair one price is changed at a time, and nothing else")
        url = self._calls.url(f"/v2/orders/{part(str(concerned[0]['id']))}")
        request = Request("PATCH", url, json=change_body(change), timeout_s=SUBMIT_S)
        return send_once(self._calls, request, lambda reply: self._changed(reply, orders, concerned[0], ref))

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both. What has ended stays as it is."""
        ids = ids_of(ref.broker_order_id) if ref.broker_order_id else ()
        if not ids:
            order = self._look_up.order(ref)
            ids = (str(order["id"]),) if order else ()
        ask_each(ids, self._cancel)

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order, and once more of each that was not taken."""
        reply = self._calls.delete("/v2/orders")
        self._require(reply)
        ask_each(_not_taken(reply), self._cancel)

    def liquidate(self, contract: str) -> None:
        """Ask Alpaca to close the position at the market, also of what the catalogue does not know."""
        reply = self._calls.delete(f"/v2/positions/{part(as_spelled(to_venue, contract))}", timeout_s=SUBMIT_S)
        if not is_absent(reply):
            self._require(reply)

    def _placed(self, reply: Reply, leg: Leg) -> Outcome:
        if reply.ok:
            return Accepted(self._book.view(answer_in(reply, dict), leg))
        if is_duplicate(reply):
            first = self._book.order(OrderRef(leg.client_order_id, leg=leg))
            return Accepted(first) if first else Unknown(f"{NAME} knows the client order id, but does not show its order yet")
        return self._hours.explained(not_done(reply, refusal, NAME, read(reply)[1]), leg.contract)

    def _changed(self, reply: Reply, orders: list[Document], old: Document, ref: OrderRef) -> Outcome:
        if not reply.ok:
            return not_done(reply, refusal, NAME, read(reply)[1])
        new: Document = answer_in(reply, dict)
        if len(orders) == 1:
            return Accepted(own_view(new))
        name = pair_id(str((new if each is old else each)["id"]) for each in orders)
        view = self._book.order(OrderRef(ref.client_order_id, name, ref.leg))
        return Accepted(view) if view else Unknown(f"{NAME} does not show the pair {name} yet")

    def _orders(self, order: Document, ref: OrderRef) -> list[Document]:
        return self._look_up.pair(order, ref.broker_order_id) if is_pair(order, ref.leg) else [self._look_up.newest(order)]

    def _cancel(self, order_id: str) -> None:
        reply = self._calls.delete(f"/v2/orders/{part(order_id)}")
        if not is_absent(reply) and not (is_refusal(reply) and self._is_over(order_id)):
            self._require(reply)

    def _is_over(self, order_id: str) -> bool:
        try:
            order = self._calls.one(f"/v2/orders/{part(order_id)}", urgent=True)
            return order is None or is_over(order)
        except BrokerError:  # whatever it is, the cancellation was refused
            return False

    def _require(self, reply: Reply) -> None:
        if not reply.ok:
            raise BrokerUnavailable(f"{NAME} answers {reply.status}: {read(reply)[1]}")


def _not_taken(reply: Reply) -> list[str]:
    """Orders whose cancellation Alpaca has refused in an answer that says so of each (207)."""
    try:
        told = answer_in(reply, list)
    except BrokerUnavailable:
        return []  # a success that says nothing of single orders
    with readable("Alpaca's cancellations"):
        return [str(each["id"]) for each in told if each["status"] >= _REFUSED]


def _concerns(order: Document, change: Change, *, alone: bool) -> bool:
    """Whether the change is about this one of a pair: a limit order has a limit price, a stop order a stop price."""
    if alone:
        return True
    price = change.limit_price if order.get("limit_price") is not None else change.stop_price
    return change.quantity is None and price is not None

"""Replacing an order at Schwab: a name and a change come in, the outcome goes out. The old order ends, a new one follows."""

from dataclasses import replace
from decimal import Decimal

from fillpath.errors import BrokerError, Unsupported
from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Rejected
from fillpath_brokers.documents import number, readable
from fillpath_brokers.facade import Change
from fillpath_brokers.pairs import ids_of, pair_id
from fillpath_brokers.reasons import NOT_WORKING
from fillpath_brokers.schwab.answers import new_id
from fillpath_brokers.schwab.bodies import replacement_body
from fillpath_brokers.schwab.look_up import THEN, Found, LookUp
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.schwab.wire import filled_of, order_id
from fillpath_brokers.sending import before_sending, send_once
from fillpath_brokers.session import Session
from fillpath_brokers.web import SUBMIT_S, Reply, Request, part


class Replacing:
    """One request for one order; of an exit pair only one can be changed at a time."""

    def __init__(self, session: Session, settings: Settings, trader: Trader, look_up: LookUp) -> None:
        self._session = session
        self._settings = settings
        self._trader = trader
        self._look_up = look_up

    def replace(self, name: str, change: Change, leg: Leg | None) -> Outcome:
        """Accepted has the name under which both the old order's fills and the new order are found."""
        names = ids_of(name)
        with before_sending():
            found = [self._look_up.single(each) for each in names]
        places = [place for place, each in enumerate(found) if each is not None and _concerns(each, change, of=len(names))]
        if len(places) > 1:
            raise Unsupported("Schwab changes one exit of a pair at a time: either its limit price or its stop price")
        old = found[places[0]] if places else None
        if old is None:
            return Rejected("not_found", f"Schwab shows no such order: {name}")
        outcome = self._send(old, change)
        if isinstance(outcome, Accepted) and len(names) > 1:
            changed = [*names]
            changed[places[0]] = outcome.view.broker_order_id or ""
            return self._shown(pair_id(changed), leg, outcome.view)
        return outcome

    def _send(self, old: Found, change: Change) -> Outcome:
        with before_sending():
            view, quantity = old.view, self._quantity(old, change)
        if view.status.ended:
            return Rejected(NOT_WORKING, f"order {order_id(old.order)} has ended: {view.status.lower()}")
        if quantity <= 0:
            return Rejected("invalid_quantity", f"{view.filled_quantity} of order {order_id(old.order)} are filled already")
        url = self._trader.url_to_send_to(f"/orders/{part(order_id(old.order))}")
        request = Request("PUT", url, json=replacement_body(old.order, change, quantity), timeout_s=SUBMIT_S)
        return send_once(self._session, request, lambda reply: self._sent(reply, view))

    def _sent(self, reply: Reply, before: LegView) -> Outcome:
        new = new_id(reply)
        if isinstance(new, str):
            return self._shown(THEN.join([before.broker_order_id or "", new]), None, before)
        return new

    def _quantity(self, old: Found, change: Change) -> Decimal:
        """What the new order is to be for: what is left of the whole. The whole counts what filled of all that went before."""
        own = filled_of(old.order)
        with readable("Schwab's order"):
            left = number(old.order["quantity"]) - own
        if change.quantity is not None:
            left = change.quantity - old.view.filled_quantity
        return left + own if left > 0 and self._settings.replace_counts_filled else left

    def _shown(self, name: str, leg: Leg | None, before: LegView) -> Accepted:
        """As it is now; where that cannot be read, as it is called, with what is known to be filled."""
        try:
            view = self._look_up.by_name(name, leg)
        except BrokerError:  # whatever it is, it is not about the order that was placed
            view = None
        return Accepted(view or replace(before, status=LegStatus.WORKING, broker_order_id=name, exits=None))


def _concerns(found: Found, change: Change, of: int) -> bool:
    """Whether the change is about this one of a pair: a limit order has a price, a stop order a stop price."""
    if of == 1 or change.quantity is not None:
        return True
    return (change.limit_price if found.order.get("price") is not None else change.stop_price) is not None

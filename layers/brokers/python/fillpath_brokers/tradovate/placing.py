"""Placing, changing and cancelling at Tradovate. In: legs, references, changes; out: outcomes.

Each request is sent once. What has to be read before and cannot be read is evidence that nothing was done.
"""

from typing import Any, NamedTuple

from fillpath.clock import Clock
from fillpath.errors import BrokerError, BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Rejected, Unknown
from fillpath_brokers.canonical import as_spelled
from fillpath_brokers.documents import number, readable
from fillpath_brokers.facade import Change, OrderRef
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.pairs import exits_wanted, pair_view
from fillpath_brokers.sending import ask_each, before_sending, is_refusal, send_once
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.capabilities import NAME
from fillpath_brokers.tradovate.history import MarketReader
from fillpath_brokers.tradovate.holdings import Holdings
from fillpath_brokers.tradovate.look_up import LookUp
from fillpath_brokers.tradovate.precheck import malformed
from fillpath_brokers.tradovate.reading import Reading, live
from fillpath_brokers.tradovate.refusals import change_refused, failure_in, placing_refused, text_in
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.symbols import to_venue
from fillpath_brokers.tradovate.wire import Trail, cancel_body, change_body, is_over, order_body, trail_of
from fillpath_brokers.web import SUBMIT_S, Reply

_ENDED = "TooLate"
_EXIT_IDS = ("oso1Id", "oso2Id")


class Tools(NamedTuple):
    """What all of an account's doings work with."""

    calls: Calls
    reading: Reading
    look_up: LookUp
    holdings: Holdings
    market: MarketReader
    hours: MarketHours
    settings: Settings
    clock: Clock


class Placing:
    """One account's orders, as far as they are made and changed."""

    def __init__(self, tools: Tools) -> None:
        self._calls, self._reading, self._look_up, self._holdings = tools.calls, tools.reading, tools.look_up, tools.holdings
        self._market, self._hours, self._settings, self._clock = tools.market, tools.hours, tools.settings, tools.clock

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg, once."""
        began, symbol = self._clock.now(), to_venue(leg.contract)
        if refused := malformed(leg):
            return refused
        with before_sending():
            trail = self._trail(leg, symbol)
            account = self._reading.account()
        if leg.type is OrderType.TRAILING_STOP and trail is None:
            return Rejected("unsupported", f"{NAME} knows trails in price units only, and no price is known to reckon one from")
        path, body = order_body(leg, symbol, account, trail)
        left_s = max(1.0, SUBMIT_S - (self._clock.now() - began).total_seconds())
        request = self._calls.request(path, body, urgent=leg.reduce_only, timeout_s=left_s)
        return self._hours.explained(send_once(self._calls, request, lambda reply: _placed(reply, leg)), leg.contract)

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order, of a pair the one that has the price; it keeps its id."""
        if change.quantity is not None and change.quantity % 1:
            return Rejected("invalid_quantity", f"{NAME} trades whole numbers: {change.quantity} is none")
        with before_sending():
            ids = self._look_up.ids(ref)
            views = self._reading.views(ids) if ids else {}
            versions = self._reading.versions(ids) if views else {}
        if not views:
            return Rejected("not_found", f"{NAME} shows no order {ref.client_order_id}")
        order_id = _changed(versions, change)
        if order_id is None:
            return Rejected("unsupported", "of a pair one price is changed at a time, and nothing else")
        with before_sending(), readable("Tradovate's order version"):
            shown = [views[each] for each in ids if each in views]
            sizes = [number(version["orderQty"]) for version in versions.values()]
            view = shown[0] if len(shown) == 1 else pair_view(shown, ref.leg.quantity if ref.leg else max(sizes))
        request = self._calls.request(
            "order/modifyorder", change_body(str(order_id), versions[order_id], change), timeout_s=SUBMIT_S
        )
        return send_once(self._calls, request, change_refused) or Accepted(view)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of a pair for that of both. What has ended stays as it is."""
        ask_each(map(str, self._look_up.ids(ref)), self._cancel)

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order, one by one."""
        ask_each([str(order["id"]) for order in live(self._reading.order_list())], self._cancel)

    def liquidate(self, contract: str) -> None:
        """Ask Tradovate to close the position at the market, and to cancel what works in the contract."""
        found = self._reading.contract(as_spelled(to_venue, contract))
        if found is None or not any(each.get("contractId") == found["id"] for each in self._holdings.held()):
            return
        body = {"accountId": self._reading.account().number, "contractId": int(found["id"]), "admin": False}
        reply = self._calls.post("order/liquidateposition", body, urgent=True, timeout_s=SUBMIT_S)
        if not reply.ok or failure_in(reply.json()):
            raise BrokerUnavailable(f"{NAME} does not close the position: {text_in(reply)}")

    def _cancel(self, order_id: str) -> None:
        reply = self._calls.post("order/cancelorder", cancel_body(order_id), urgent=True)
        failure = failure_in(reply.json()) if reply.ok else None
        if (reply.ok and failure is None) or (failure is not None and failure[0] == _ENDED):
            return
        if not (failure or is_refusal(reply)) or not self._is_over(int(order_id)):
            told = text_in(reply) or reply.status
            raise BrokerUnavailable(f"{NAME} does not take the cancellation of order {order_id}: {told}")

    def _is_over(self, order_id: int) -> bool:
        try:
            order = self._reading.orders([order_id]).get(order_id)
        except BrokerError:  # whatever it is, the cancellation was refused
            return False
        return order is None or is_over(order)

    def _trail(self, leg: Leg, symbol: str) -> Trail | None:
        if leg.type is not OrderType.TRAILING_STOP:
            return None
        within_s = self._settings.first_stop_within_s
        price = self._market.last_price(symbol, self._calls.access(), within_s) if within_s and leg.stop_price is None else None
        return trail_of(leg, price, self._settings.trail_sign)


def _placed(reply: Reply, leg: Leg) -> Outcome:
    """What was placed, from the ids of the answer; without all of them it must be looked up."""
    if refused := placing_refused(reply):
        return refused
    answer = reply.json()
    order_id = answer.get("orderId") if isinstance(answer, dict) else None
    if order_id is None:
        return Unknown(f"{NAME}'s answer has no order id")
    if leg.type is OrderType.OCO:
        both = (order_id, answer.get("ocoId"))
        if both[1] is None:
            return Unknown(f"{NAME}'s answer names one order of the pair only")
        return Accepted(pair_view([_new(each) for each in both], leg.quantity))
    exits = [answer[name] for name in _EXIT_IDS if answer.get(name) is not None]
    if len(exits) != exits_wanted(leg):
        return Unknown(f"{NAME}'s answer names {len(exits)} of {exits_wanted(leg)} exits")
    return Accepted(_new(order_id, pair_view([_new(each) for each in exits], leg.quantity) if exits else None))


def _new(order_id: Any, exits: LegView | None = None) -> LegView:
    return LegView(LegStatus.WORKING, str(order_id), exits=exits)


def _changed(versions: dict[int, dict[str, Any]], change: Change) -> int | None:
    """The order that a change is for."""
    if len(versions) == 1:
        return min(versions)
    wanted = {"Limit": change.limit_price, "Stop": change.stop_price}
    kinds = [kind for kind, price in wanted.items() if price is not None]
    if change.quantity is not None or len(kinds) != 1:
        return None
    of_kind = [each for each, version in versions.items() if version["orderType"] == kinds[0]]
    return of_kind[0] if of_kind else None

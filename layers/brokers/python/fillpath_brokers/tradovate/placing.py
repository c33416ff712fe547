"""Placing, changing and cancelling at Tradovate. In: legs, references, changes; out: outcomes.

What has to be read before a request is sent and cannot be read is evidence that nothing was done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, NotSent
from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Rejected, Unknown
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.facade import Change, OrderRef
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.pairs import pair_view
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.capabilities import NAME
from fillpath_brokers.tradovate.history import MarketReader
from fillpath_brokers.tradovate.look_up import LookUp
from fillpath_brokers.tradovate.precheck import malformed
from fillpath_brokers.tradovate.reading import Reading, live
from fillpath_brokers.tradovate.refusals import change_refused, failure_in, placing_refused, text_in
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.wire import Trail, cancel_body, change_body, order_body, trail_of
from fillpath_brokers.web import SUBMIT_S

_NOT_FOUND = 404
_ENDED = "TooLate"
_EXIT_IDS = ("oso1Id", "oso2Id")


class Tools(NamedTuple):
    """What all of an account's doings work with."""

    calls: Calls
    reading: Reading
    look_up: LookUp
    market: MarketReader
    hours: MarketHours
    settings: Settings
    clock: Clock


class Placing:
    """One account's orders, as far as they are made and changed."""

    def __init__(self, tools: Tools) -> None:
        self._calls, self._reading, self._look_up = tools.calls, tools.reading, tools.look_up
        self._market, self._hours, self._settings, self._clock = tools.market, tools.hours, tools.settings, tools.clock

    def submit(self, leg: Leg, symbol: str) -> Outcome:
        """Place the leg, once."""
        began = self._clock.now()
        if refused := malformed(leg):
            return refused
        trail = self._trail(leg, symbol)
        if leg.type is OrderType.TRAILING_STOP and trail is None:
            return Rejected("unsupported", f"{NAME} knows trails in price units only, and no price is known to reckon one from")
        with _nothing_sent():
            account = self._reading.account()
        path, body = order_body(leg, symbol, account, trail)
        left_s = max(1.0, SUBMIT_S - (self._clock.now() - began).total_seconds())
        reply = self._calls.post(path, body, urgent=leg.reduce_only, timeout_s=left_s)
        return self._explained(placing_refused(reply), leg) or _placed(leg, reply.json())

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order, of a pair the one that has the price; it keeps its id."""
        with _nothing_sent():
            ids = self._look_up.ids(ref)
            views = self._reading.views(ids) if ids else {}
            versions = self._reading.versions(ids) if views else {}
        if not views:
            return Rejected("not_found", f"{NAME} shows no order {ref.client_order_id}")
        order_id = _changed(versions, change)
        if order_id is None:
            return Rejected("unsupported", "of a pair one price is changed at a time, and nothing else")
        body = change_body(str(order_id), versions[order_id], change)
        reply = self._calls.post("order/modifyorder", body, timeout_s=SUBMIT_S)
        shown = [views[each] for each in ids if each in views]
        whole = Decimal(str(versions[order_id]["orderQty"]))
        return change_refused(reply) or Accepted(shown[0] if len(shown) == 1 else pair_view(shown, whole))

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of a pair for that of both. What has ended stays as it is."""
        self._cancel_each(self._look_up.ids(ref))

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order."""
        self._cancel_each([int(order["id"]) for order in live(self._reading.order_list())])

    def liquidate(self, symbol: str) -> None:
        """Ask Tradovate to close the position at the market, and to cancel what works in the contract."""
        contract = self._reading.contract(symbol)
        account = self._reading.account()
        held = self._calls.listed("position/deps", masterid=account.number, urgent=True)
        if contract is None or not any(each["contractId"] == contract["id"] and each["netPos"] for each in held):
            return
        body = {"accountId": account.number, "contractId": int(contract["id"]), "admin": False}
        reply = self._calls.post("order/liquidateposition", body, urgent=True, timeout_s=SUBMIT_S)
        if not reply.ok or failure_in(reply.json()):
            raise BrokerUnavailable(f"{NAME} does not close the position: {text_in(reply)}")

    def _cancel_each(self, ids: Any) -> None:
        """All of them are asked for, whatever is said of one; then what was said is told."""
        problems: list[str] = []
        for order_id in ids:
            reply = self._calls.post("order/cancelorder", cancel_body(str(order_id)), urgent=True)
            failure = failure_in(reply.json()) if reply.ok else None
            ended = reply.status == _NOT_FOUND or (failure is not None and failure[0] == _ENDED)
            if not ended and (failure or not reply.ok):
                problems.append(f"order {order_id}: {text_in(reply) or reply.status}")
        if problems:
            raise BrokerUnavailable(f"{NAME} does not take the cancellation of {'; '.join(problems)}")

    def _trail(self, leg: Leg, symbol: str) -> Trail | None:
        if leg.type is not OrderType.TRAILING_STOP:
            return None
        within_s = self._settings.first_stop_within_s
        price = self._market.last_price(symbol, self._calls.access(), within_s) if within_s and leg.stop_price is None else None
        return trail_of(leg, price, self._settings.trail_sign)

    def _explained(self, refused: Outcome | None, leg: Leg) -> Outcome | None:
        """A refusal while the market is closed says when it opens."""
        if not isinstance(refused, Rejected) or refused.reason != "market_closed":
            return refused
        text = self._hours.closed_text(instrument_behind(leg.contract), leg.contract)
        return Rejected(refused.reason, f"{refused.text} ({text})") if text else refused


def _placed(leg: Leg, answer: Any) -> Outcome:
    """What was placed, from the ids of the answer; without all of them it must be looked up."""
    order_id = answer.get("orderId") if isinstance(answer, dict) else None
    if order_id is None:
        return Unknown(f"{NAME}'s answer has no order id")
    if leg.type is OrderType.OCO:
        both = (order_id, answer.get("ocoId"))
        if both[1] is None:
            return Unknown(f"{NAME}'s answer names one order of the pair only")
        return Accepted(pair_view([_new(each) for each in both], leg.quantity))
    wanted = sum(price is not None for price in (leg.take_profit, leg.stop_loss))
    exits = [answer[name] for name in _EXIT_IDS if answer.get(name) is not None]
    if len(exits) != wanted:
        return Unknown(f"{NAME}'s answer names {len(exits)} of {wanted} exits")
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


@contextmanager
def _nothing_sent() -> Iterator[None]:
    try:
        yield
    except NotSent:
        raise
    except BrokerUnavailable as exc:
        raise NotSent(f"nothing was sent, because something could not be read before: {exc}") from exc

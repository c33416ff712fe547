"""Sending, watching and cancelling legs: the only place that calls `Desk.submit`."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

from fillpath.errors import BrokerError, BrokerUnavailable, Conflict
from fillpath.orders.floor import Floor, account_of, change
from fillpath.orders.model import Leg, LegStatus, Order, OrderState
from fillpath.orders.outcomes import Accepted, LegView, Outcome, RateLimited, Rejected, Unknown
from fillpath.orders.ports.verification_queue import Check
from fillpath.orders.transitions import (
    MARKET_CLOSED,
    answered,
    doubtful,
    is_protection,
    missed,
    observed,
    preparing,
    refused,
    told,
    unsent,
    vanished,
)

LOOK_S = 2.0
SEE_CANCELLED_S = 3.0
_LOOK_EVERY_S, _LOOKS_GROW, _LONGEST_LOOK_S = 0.2, 1.5, 1.0
_VANISHES = timedelta(seconds=30)
_SILENCE_S = 300.0
_SEND_MARGIN_S = 10
_MOST_LISTED = 500


def submit(order: Order, leg: Leg, until: datetime, floor: Floor, held: Decimal | None = None) -> tuple[Order, float | None]:
    """Send the leg by the rules of the lane; returns the order as recorded and, if it was put off, for how many seconds.

    In this order: verification is asked for, SUBMITTING is written, the halt flags are read, and only then, while there is time
    for the broker's whole time-out before the run ends, it is sent. Whatever breaks in between leaves evidence behind.
    """
    floor.checks.check(Check(order.order_id, leg.leg, order.fence, leg.attempts + 1))
    order = change(order, lambda o: _prepared(o, leg, floor.clock.now(), held), floor)
    sent = order.leg(leg.leg)
    if sent is None or sent.submit_by is None:
        raise Conflict(f"leg {leg.leg} of {order.order_id} was not prepared")
    again = leg.status is LegStatus.SUBMITTING
    if not leg.reduce_only and (halt := floor.controls.halted(order.user_id, order.account_id)):
        if again:
            return _not_again(order, leg, "halted", floor), None
        text = f"trading is halted for {halt.scope}"
        return change(order, lambda o: refused(o, leg.leg, floor.clock.now(), "halted", text), floor), None
    send_by = min(sent.submit_by, until - timedelta(seconds=_SEND_MARGIN_S))
    if floor.clock.now() >= send_by:
        if again:
            return _not_again(order, leg, "out_of_time", floor), None
        return change(order, lambda o: unsent(o, leg.leg, floor.clock.now(), "out_of_time"), floor), 0.0
    outcome = _possible(floor.desk.submit(account_of(order), sent.model_copy(update={"submit_by": send_by})), sent)
    if again and not isinstance(outcome, Accepted):
        return _not_again(order, leg, "no_answer", floor), None
    return _record(order, leg, outcome, floor)


def _record(order: Order, leg: Leg, outcome: Outcome, floor: Floor) -> tuple[Order, float | None]:
    if isinstance(outcome, Rejected) and outcome.reason == MARKET_CLOSED and is_protection(leg.leg):
        # It keeps its place until the open, and the lane goes on without it.
        return change(order, lambda o: unsent(o, leg.leg, floor.clock.now(), MARKET_CLOSED, outcome.text), floor), None
    order = change(order, lambda o: answered(o, leg.leg, outcome, floor.clock.now()), floor)
    if not isinstance(outcome, RateLimited):
        return order, None
    count_silence(order, outcome.delay_s, floor)
    return order, outcome.delay_s


def _not_again(order: Order, leg: Leg, reason: str, floor: Floor) -> Order:
    """Whatever keeps a repeated send from being taken says nothing about the first one: that is left to verification."""
    return change(order, lambda o: doubtful(o, leg.leg, floor.clock.now(), reason), floor)


def look_up(order: Order, leg: Leg, floor: Floor) -> LegView | None:
    """The leg as the broker shows it, never an order that is known to be another leg's; raises BrokerError."""
    view = floor.desk.look_up(account_of(order), leg, _others(order, leg, floor))
    if view is not None and not _is_possible(view, leg):
        raise BrokerUnavailable(f"the broker shows {view.filled_quantity} of {leg.quantity} filled")
    return view


def _possible(outcome: Outcome, leg: Leg) -> Outcome:
    """An acceptance that tells what cannot be is none that can be read."""
    if isinstance(outcome, Accepted) and not _is_possible(outcome.view, leg):
        return Unknown(f"the broker shows {outcome.view.filled_quantity} of {leg.quantity} filled")
    return outcome


def _is_possible(view: LegView, leg: Leg) -> bool:
    """More than was ordered is another order's fill, unless this one is known by its number: then somebody changed it there."""
    price, filled = view.average_price, view.filled_quantity
    sensible = (price is None or price.is_finite()) and filled.is_finite() and filled >= 0
    return sensible and (leg.broker_order_id is not None or filled <= leg.quantity)


def look(order: Order, name: str, floor: Floor) -> Order:
    """Record what the broker shows of the leg; raises BrokerError. That one in doubt is not shown changes nothing here."""
    leg = order.leg(name)
    if leg is None:
        return order
    asked_at = floor.clock.now()
    view = look_up(order, leg, floor)
    if view is None:
        return _not_shown(order, leg, asked_at, floor)
    held = _held_now(order, view, floor)
    return change(order, lambda o: _telling(observed(o, name, view, floor.clock.now()), held), floor)


def watch(
    order: Order, name: str, seconds: float, every_s: float, floor: Floor, done: Callable[[Leg], bool], *, grows: float = 1.0
) -> Order:
    """Look at the leg again and again until it is `done` or the time is over; an unanswered look is followed by the next.

    `grows`: each wait is so many times the one before, up to a second. Looks come out of the venue's request limit.
    """
    give_up = floor.clock.now() + timedelta(seconds=seconds)
    while True:
        order = _try_look(order, name, floor)
        leg = order.leg(name)
        if leg is None or done(leg) or floor.clock.now() + timedelta(seconds=every_s) > give_up:
            return order
        floor.clock.sleep(every_s)
        every_s = min(every_s * grows, max(every_s, _LONGEST_LOOK_S))


def await_fill(order: Order, name: str, floor: Floor) -> Order:
    """Look for the fill of an accepted leg for up to 2 s."""
    leg = order.leg(name)
    if leg is None or leg.status not in {LegStatus.WORKING, LegStatus.PARTIALLY_FILLED}:
        return order
    return watch(order, name, LOOK_S, _LOOK_EVERY_S, floor, lambda seen: seen.status.ended, grows=_LOOKS_GROW)


def cancel(order: Order, name: str, seconds: float, floor: Floor, why: str | None = None) -> Order:
    """Cancel the leg and watch until the broker shows it ended, at most that long; its state tells whether it did."""
    leg = order.leg(name)
    if leg is None or leg.status.ended or leg.status is LegStatus.QUEUED:
        return order
    if why is not None:
        order = change(order, lambda o: o.with_leg((o.leg(name) or leg).model_copy(update={"reason": why})), floor)
    with suppress(BrokerError):  # the look-ups below tell whether the request got through
        floor.desk.cancel(account_of(order), leg, _others(order, leg, floor))
    return watch(order, name, seconds, _LOOK_EVERY_S, floor, lambda seen: seen.status.ended, grows=_LOOKS_GROW)


def resolve(order: Order, name: str, floor: Floor) -> Order:
    """Find out what became of a leg that may or may not be at the broker, or is known to be there.

    Absence counts only after the submit deadline plus the venue's quarantine; where the venue can prove nothing the order stays
    UNKNOWN and is shown to a person.
    """
    leg = order.leg(name)
    if leg is None:
        return order
    asked_at = floor.clock.now()
    try:
        view = look_up(order, leg, floor)
    except BrokerError:
        return _in_doubt(order, leg, asked_at, floor)
    held = _held_now(order, view, floor)
    if view is not None:
        return change(order, lambda o: _telling(observed(o, name, view, floor.clock.now()), held), floor)
    if leg.status.in_doubt and _absence_counts(order, leg, asked_at, floor):
        verdict = _if_same_attempt(leg, lambda o: refused(o, name, asked_at, "not_placed"))
        return change(order, lambda o: _telling(verdict(o), held), floor)
    return _not_shown(_in_doubt(order, leg, asked_at, floor), leg, asked_at, floor)


def may_send_again(order: Order, leg: Leg, floor: Floor) -> bool:
    """Whether the venue would refuse a second order under this id for longer than the leg is old."""
    seconds = floor.desk.capabilities(account_of(order)).deduplicates_s
    age = floor.clock.now() - (leg.prepared_at or floor.clock.now())
    return age + timedelta(seconds=SUBMIT_MARGIN_S) < timedelta(seconds=seconds)


SUBMIT_MARGIN_S = 30
"""Head room so that a send which arrives late still falls inside the venue's deduplication window."""


def _others(order: Order, leg: Leg, floor: Floor) -> frozenset[str]:
    """The broker's ids of what else acted in the lane, where the broker shows no id of ours: two orders may look alike there.

    The lane itself remembers the last that took it, for certain; a burst of refused ones may have pushed others out, which the
    user's listing still has.
    """
    if leg.broker_order_id is not None or floor.desk.capabilities(account_of(order)).client_order_ids:
        return frozenset()
    recent = [floor.orders.get(order_id) for order_id in floor.orders.lane(order.lane).recent]
    listed = [each for each in floor.orders.of_user(order.user_id, _MOST_LISTED) if each.lane == order.lane]
    others = [
        each for other in (*recent, *listed) for each in other.legs if (other.order_id, each.leg) != (order.order_id, leg.leg)
    ]
    return frozenset(name for each in others for name in (each.broker_order_id, each.exits_ref) if name)


def _prepared(order: Order, seen: Leg, at: datetime, held: Decimal | None) -> Order:
    """Only one writer gets a leg from what it has seen to the next attempt; whoever comes second sends nothing."""
    now = order.leg(seen.leg) or seen
    if order.state.ended or now.attempts != seen.attempts or now.status not in {LegStatus.QUEUED, LegStatus.SUBMITTING}:
        raise Conflict(f"leg {seen.leg} of {order.order_id} is in other hands")
    return preparing(order, seen, at, held)


def _try_look(order: Order, name: str, floor: Floor) -> Order:
    try:
        return look(order, name, floor)
    except BrokerError:
        return order


def _in_doubt(order: Order, leg: Leg, at: datetime, floor: Floor) -> Order:
    if leg.status is not LegStatus.SUBMITTING or leg.submit_by is None or at <= leg.submit_by:
        return order
    return change(order, _if_same_attempt(leg, lambda o: doubtful(o, leg.leg, at, "no_answer")), floor)


def _not_shown(order: Order, leg: Leg, asked_at: datetime, floor: Floor) -> Order:
    """A leg that the broker had accepted, and says it does not know: it has ended, once that has been so for long enough.

    It was dropped from what the broker keeps, or the account was set back: it would hold up its lane for ever.
    """
    if leg.status not in {LegStatus.WORKING, LegStatus.PARTIALLY_FILLED} or leg.broker_order_id is None:
        return order
    if leg.absent_since is None:
        return change(order, lambda o: missed(o, leg.leg, asked_at), floor)
    since = leg.absent_since
    if asked_at <= since + _VANISHES or not _absence_counts(order, leg, asked_at, floor):
        return order
    held = _position(order, floor) if order.auto_exit else None
    after = change(order, lambda o: _telling_again(o, vanished(o, leg.leg, since, asked_at), held), floor)
    if after is not order:
        floor.telemetry.count("OrderVanished", after)
    return after


def _telling_again(before: Order, after: Order, held: Decimal | None) -> Order:
    """A reversal that ends with a leg that was forgotten cannot reckon what is held: it tells what was read, or nothing."""
    if before.state.ended or after.state is not OrderState.ABORTED:
        return after
    return after.model_copy(update={"held": held, "message": told(after.root, held)})


def count_silence(order: Order, delay_s: float, floor: Floor) -> None:
    """A broker that takes nothing for minutes is told to a person: it was asked too often, or wants something of them."""
    if delay_s >= _SILENCE_S:
        floor.telemetry.count("BrokerSilent", order)


def _if_same_attempt(seen: Leg, how: Callable[[Order], Order]) -> Callable[[Order], Order]:
    """Apply a verdict only to the attempt it was found for: a newer attempt, or an answer, has made it void."""

    def verdict(order: Order) -> Order:
        now = order.leg(seen.leg)
        return how(order) if now and now.status.in_doubt and now.attempts == seen.attempts else order

    return verdict


def _held_now(order: Order, view: LegView | None, floor: Floor) -> Decimal | None:
    """What is held where a reversal's own legs may not tell it: one in doubt, or that ends after it gave up the lane."""
    alone = order.owns_lane and not (view and view.exits)
    stops = view is not None and view.status.ended and view.status is not LegStatus.FILLED and not alone
    if not order.auto_exit or order.state.ended or not (stops or order.state is OrderState.UNKNOWN):
        return None
    return _position(order, floor)


def _position(order: Order, floor: Floor) -> Decimal | None:
    try:
        positions = floor.desk.positions(account_of(order), order.root)
    except BrokerError:
        return None
    return sum((position.quantity for position in positions), Decimal(0))


def _telling(order: Order, held: Decimal | None) -> Order:
    """A reversal that ended just now tells what was read."""
    if held is None or order.state is not OrderState.ABORTED or order.held is not None:
        return order
    return order.model_copy(update={"held": held, "message": told(order.root, held)})


def _absence_counts(order: Order, leg: Leg, at: datetime, floor: Floor) -> bool:
    quarantine, sent_by = floor.desk.capabilities(account_of(order)).quarantine_s, leg.submit_by or leg.submitted_at
    return quarantine is not None and sent_by is not None and at > sent_by + timedelta(seconds=quarantine)

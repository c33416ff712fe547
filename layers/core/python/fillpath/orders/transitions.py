"""Pure changes of an order record: from a record and a fact to the next record. Nothing here reads or writes.

An end state never changes, but a fill that comes later still counts. Fills are the broker's cumulative quantities, merged by
maximum, so that reordered and repeated reports end in the same record.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from fillpath.orders.model import Event, Leg, LegStatus, Listing, Order, OrderState, OrderType
from fillpath.orders.outcomes import Accepted, LegView, Outcome, RateLimited, Rejected, Unknown

CLOSE, OPEN, MAIN, PROTECT, EXITS = "close", "open", "main", "protect", "exits"
SUBMIT_WINDOW_S = 10
MOST_EVENTS, _FIRST_EVENTS = 200, 20
MARKET_CLOSED, HALF_LOST, VANISHED, PAIR_REFUSED = "market_closed", "half_lost", "vanished", "pair_refused"
POSITION_CLOSED, ENTRY_NOT_FILLED, OVERFILLED = "position_closed", "entry_not_filled", "overfilled"
OUR_CANCELS = {"cancelled", "halted", "not_filled", POSITION_CLOSED, ENTRY_NOT_FILLED}
"""Why a leg is cancelled when that is Fillpath's own wish."""

_STATE_OF_LEG = {
    LegStatus.WORKING: OrderState.WORKING,
    LegStatus.PARTIALLY_FILLED: OrderState.PARTIALLY_FILLED,
    LegStatus.FILLED: OrderState.FILLED,
    LegStatus.CANCELLED: OrderState.CANCELLED,
    LegStatus.REJECTED: OrderState.REJECTED,
    LegStatus.EXPIRED: OrderState.EXPIRED,
}


def moved(order: Order, state: OrderState, at: datetime, reason: str | None = None, message: str | None = None) -> Order:
    """The order in `state`, with the step in its timeline; an end state stays, an unchanged one adds no event."""
    if order.state.ended or (order.state is state and order.reason == reason):
        return order
    event = Event(at=at, from_state=order.state, to_state=state, reason=reason)
    return order.model_copy(update={"state": state, "reason": reason, "message": message, "events": _and(order.events, event)})


def _and(events: tuple[Event, ...], event: Event) -> tuple[Event, ...]:
    """The timeline with one step more; what is tried for days leaves out its middle, for a record has an end."""
    longer = (*events, event)
    return longer if len(longer) <= MOST_EVENTS else (*longer[:_FIRST_EVENTS], *longer[_FIRST_EVENTS + 1 :])


def ended(order: Order, state: OrderState, at: datetime, reason: str | None = None, message: str | None = None) -> Order:
    """The order at its end: off every list of its lane and no longer its owner."""
    return moved(order, state, at, reason, message).model_copy(update={"listing": Listing.NONE, "owns_lane": False})


def preparing(order: Order, leg: Leg, at: datetime, held: Decimal | None = None) -> Order:
    """The order with the leg about to be sent: from here on only `submit_by` tells that it was not."""
    prepared = leg.model_copy(
        update={
            "status": LegStatus.SUBMITTING,
            "prepared_at": leg.prepared_at or at,
            "submit_by": at + timedelta(seconds=SUBMIT_WINDOW_S),
            "attempts": leg.attempts + 1,
            "reason": None,
        }
    )
    order = order.with_leg(prepared)
    if is_reversal_leg(leg.leg):
        return order
    before = order.position_before if held is None else held
    order = order.model_copy(update={"reduces": leg.reduce_only, "position_before": before, "made_way_for": None})
    return moved(order, OrderState.SUBMITTING, at)


def is_reversal_leg(name: str) -> bool:
    """Whether the leg is one of the two phases of a reversal."""
    return name == OPEN or is_close(name)


def is_close(name: str) -> bool:
    """Whether the leg closes a contract in a reversal (`close`, `close-2`, ...)."""
    return name == CLOSE or name.startswith(f"{CLOSE}-")


def is_protection(name: str) -> bool:
    """Whether the leg protects a position again after another order had to act (`protect-1`, ...)."""
    return name.startswith(f"{PROTECT}-")


def observed(order: Order, name: str, view: LegView, at: datetime) -> Order:
    """The order after the broker showed the leg so. Applies any number of times, in any order."""
    leg = order.leg(name)
    if leg is None:
        return order
    late = order.state.ended and view.filled_quantity > leg.filled_quantity
    if order.suspended_by or leg.reason in OUR_CANCELS:  # we end both halves, one after the other
        view = replace(view, halved=leg.halved_at is not None)
    merged = _merged(leg, view, at)
    order = _totals(order.with_leg(merged), at)
    if late:
        return order.model_copy(
            update={"events": _and(order.events, Event(at=at, from_state=order.state, to_state=order.state, reason="LATE_FILL"))}
        )
    return _followed(order, merged, at, wanted=leg.reason in OUR_CANCELS)


def vanished(order: Order, name: str, since: datetime, at: datetime) -> Order:
    """The order after the broker has not known a leg any more that it had accepted: nothing more will fill of it."""
    leg = order.leg(name)
    if leg is None or leg.status.ended or leg.absent_since != since:
        return order  # it has been seen meanwhile
    text = f"the broker has not known it since {since:%H:%M:%S} UTC; what it may have filled by then is in the position"
    return observed(order, name, replace(shown(leg), status=LegStatus.CANCELLED, reason=VANISHED, text=text), at)


def shown(leg: Leg) -> LegView:
    """The leg as the broker showed it last."""
    return LegView(
        leg.status, leg.broker_order_id, leg.filled_quantity, leg.average_price, leg.commission, leg.filled_at, leg.reason
    )


def missed(order: Order, name: str, at: datetime) -> Order:
    """The order with the moment from which on the broker shows nothing of a leg that it had accepted."""
    leg = order.leg(name)
    if leg is None or leg.status.ended or leg.absent_since is not None:
        return order
    return order.with_leg(leg.model_copy(update={"absent_since": at}))


def has_late_fill(order: Order) -> bool:
    """Whether a fill came after the end."""
    return any(event.reason == "LATE_FILL" for event in order.events)


def _merged(leg: Leg, view: LegView, at: datetime) -> Leg:
    grown = view.filled_quantity > leg.filled_quantity
    filled = max(view.filled_quantity, leg.filled_quantity)
    status = leg.status if leg.status.ended and not (grown and filled >= leg.quantity) else view.status
    if status is LegStatus.WORKING and filled > 0:
        status = LegStatus.PARTIALLY_FILLED
    changes = {
        "status": status,
        "broker_order_id": view.broker_order_id or leg.broker_order_id,
        "exits_ref": view.exits.broker_order_id if view.exits else leg.exits_ref,
        "submitted_at": leg.submitted_at or at,
        "filled_quantity": filled,
        "commission": max(view.commission, leg.commission),
        "open_quantity": None if status.ended else view.open_quantity,
        "absent_since": None,
        "halved_at": leg.halved_at if status.ended else (leg.halved_at or at) if view.halved else None,
        "reason": leg.reason if leg.reason in OUR_CANCELS else view.reason or leg.reason,
    }
    if view.text:
        changes["text"] = view.text
    if grown or leg.average_price is None:
        changes |= {"average_price": view.average_price, "filled_at": view.filled_at or (at if filled > 0 else None)}
    return leg.model_copy(update=changes)


def _totals(order: Order, at: datetime) -> Order:
    closes = [leg for leg in order.legs if is_close(leg.leg)]
    main = [leg for leg in order.legs if not is_close(leg.leg)] or closes
    filled = sum((leg.filled_quantity for leg in main), Decimal(0))
    value = sum((leg.filled_quantity * leg.average_price for leg in main if leg.average_price is not None), Decimal(0))
    changes: dict[str, object] = {
        "filled_quantity": filled,
        "average_price": value / filled if filled else None,
        "filled_at": max((leg.filled_at for leg in main if leg.filled_at), default=None),
        "commission": sum((leg.commission for leg in order.legs), Decimal(0)),
        "submitted_at": order.submitted_at or at,
    }
    if closes:
        changes["exit_quantity"] = sum((leg.filled_quantity for leg in closes), Decimal(0))
    return order.model_copy(update=changes)


def _followed(order: Order, leg: Leg, at: datetime, *, wanted: bool) -> Order:
    """The newest leg leads its order. A reversal's close legs do so only where their outcome was unknown.

    `wanted`: its end had been asked for here. Exits that a venue ends by itself leave what is held without protection.
    """
    if order.state.ended:
        return order
    if is_close(leg.leg):
        return _close_resolved(order, at) if order.state is OrderState.UNKNOWN else order
    if order.live_leg is None or order.live_leg.leg != leg.leg or _awaits_next_leg(order, leg):
        return order
    state = _STATE_OF_LEG[leg.status]
    if state is OrderState.FILLED and order.parent_id and order.filled_quantity < (order.quantity or 0):
        return _for_the_rest(order, at)
    if state.ended and state is not OrderState.FILLED and (why := _makes_way(order, leg, wanted)):
        return _made_way(order, at, *why)
    if state.ended and order.auto_exit and state is not OrderState.FILLED:
        return stopped(order, at, leg.reason or f"open_{leg.status.lower()}")
    if state.ended:
        return ended(order, state, at, *_why_ended(leg))
    order = moved(order, state, at)
    return order.model_copy(update={"listing": Listing.WORKING, "owns_lane": False}) if order.resting else order


def _why_ended(leg: Leg) -> tuple[str | None, str | None]:
    if leg.overfilled:
        filled, ordered = leg.filled_quantity.normalize(), leg.quantity.normalize()
        return OVERFILLED, f"{filled:f} filled of {ordered:f}: it was changed at the broker, or both of a pair filled"
    return (None, None) if leg.status is LegStatus.FILLED else (leg.reason, leg.text)


def _for_the_rest(order: Order, at: datetime) -> Order:
    """Protection that was smaller than its entry has filled: the lane looks whether something is left unprotected."""
    if order.state is OrderState.QUEUED:
        return order
    return _made_way(order, at, "exits_filled", "it is looked whether something is left to protect")


def _makes_way(order: Order, leg: Leg, wanted: bool) -> tuple[str, str] | None:
    """Why a leg that ended unfilled is not its order's end: reason and message."""
    if leg.status is LegStatus.CANCELLED and order.suspended_by == order.order_id:
        if leg.halved_at is not None:
            return HALF_LOST, "one of the two exits had ended without the other"
        return "resized", "the exits were not of the size that is held"
    if leg.status is LegStatus.CANCELLED and order.suspended_by:
        return "suspended", f"made way for order {order.suspended_by}"
    if leg.leg == EXITS and not wanted:
        return f"exits_{leg.status.lower()}", "the venue ended the exits of the bracket"
    return None


def _awaits_next_leg(order: Order, leg: Leg) -> bool:
    """Whether the leg was cancelled to be placed again: only its fill would still change the order."""
    return order.state is OrderState.QUEUED and leg.status.ended and leg.status is not LegStatus.FILLED


def _close_resolved(order: Order, at: datetime) -> Order:
    closes = [leg for leg in order.legs if is_close(leg.leg)]
    known = all(leg.status.ended or leg.status is LegStatus.QUEUED for leg in closes)
    return stopped(order, at, "close_unknown") if known else order


def stopped(order: Order, at: datetime, reason: str, held: Decimal | None = None, message: str | None = None) -> Order:
    """A reversal ended half way, telling what is `held` (signed); reckoned from the legs where nobody read the position.

    Its legs do not tell it where others may have acted since: without the lane, or with exits at work.
    """
    if order.state.ended:
        return order
    if held is None and order.owns_lane and not any(leg.exits_ref for leg in order.legs):
        held = (order.position_before or Decimal(0)) + sum(
            (leg.side.sign * leg.filled_quantity for leg in order.legs), Decimal(0)
        )
    legs = tuple(
        leg.model_copy(update={"status": LegStatus.CANCELLED, "reason": "not_sent"}) if leg.status is LegStatus.QUEUED else leg
        for leg in order.legs
    )
    order = order.model_copy(update={"held": held, "legs": legs})
    return ended(order, OrderState.ABORTED, at, reason, message or told(order.root, held))


def told(root: str, held: Decimal | None) -> str:
    """What a person reads about the position that a stopped reversal left."""
    if held is None:
        return f"other orders may have acted since: look at what is held of {root}"
    return "nothing is held" if held == 0 else f"{held.normalize():+f} {root} is held"


def doubtful(order: Order, name: str, at: datetime, reason: str) -> Order:
    """The order with the leg's outcome unknown: it gives up the lane and stays listed on it."""
    leg = order.leg(name)
    if leg is None or order.state.ended:
        return order
    order = order.with_leg(leg.model_copy(update={"status": LegStatus.UNKNOWN}))
    return moved(order, OrderState.UNKNOWN, at, reason).model_copy(update={"listing": Listing.UNKNOWN, "owns_lane": False})


def making_way(order: Order, by: str) -> Order:
    """A resting order about to be cancelled so that order `by` can act; noted first, so that a crash leaves it understood."""
    return order if order.state.ended or order.state is OrderState.QUEUED else order.model_copy(update={"suspended_by": by})


def _made_way(order: Order, at: datetime, reason: str, message: str) -> Order:
    """What protects a position waits to be placed again for what is held then; an entry has been overtaken."""
    if not order.reduces:
        return ended(order, OrderState.CANCELLED, at, "superseded", message)
    return moved(order, OrderState.QUEUED, at, reason, message).model_copy(
        update={
            "listing": Listing.WAITING,
            "owns_lane": False,
            "deadline": None,
            "suspended_by": None,
            "made_way_for": order.suspended_by,
        }
    )


def answered(order: Order, name: str, outcome: Outcome, at: datetime) -> Order:
    """The order after the broker's answer to the submit of a leg."""
    match outcome:
        case Accepted(view):
            return observed(order, name, view, at)
        case Rejected(reason, text):
            return refused(order, name, at, reason, text)
        case RateLimited(text=text, reason=reason):
            return unsent(order, name, at, reason, text)
        case Unknown(text):
            return doubtful(order, name, at, text)


def refused(order: Order, name: str, at: datetime, reason: str, text: str | None = None) -> Order:
    """The order when a leg is known not to be at the broker and will not be sent again."""
    leg = order.leg(name)
    if leg is None or leg.status.ended:
        return order
    order = order.with_leg(leg.model_copy(update={"status": LegStatus.REJECTED, "reason": reason}))
    if order.auto_exit and is_reversal_leg(name):
        return _reversal_refused(order, name, at, reason)
    if is_protection(name) and reason == "not_placed":
        return put_back(order, at, reason)
    if is_protection(name) and leg.type is OrderType.OCO:
        return put_back(order, at, PAIR_REFUSED, text)  # the stop alone may be taken
    return ended(order, OrderState.REJECTED, at, reason, text)


def _reversal_refused(order: Order, name: str, at: datetime, reason: str) -> Order:
    """A running reversal goes on to its abort, which looks at what is held; one in doubt ends here."""
    if order.state is OrderState.UNKNOWN:
        return _close_resolved(order, at) if is_close(name) else stopped(order, at, reason)
    return moved(order, order.state, at, reason)


def unsent(order: Order, name: str, at: datetime, reason: str, text: str | None = None) -> Order:
    """The order when the leg is known not to have been sent and may be sent later: a plain one waits in its place again."""
    leg = order.leg(name)
    if leg is None or leg.status is not LegStatus.SUBMITTING:
        return order
    order = order.with_leg(leg.model_copy(update={"status": LegStatus.QUEUED, "submit_by": None}))
    if order.auto_exit and is_reversal_leg(name):
        return order
    return put_back(order, at, reason, text)


def put_back(order: Order, at: datetime, reason: str, text: str | None = None) -> Order:
    """The order in its place in the lane again, which it gives up for now."""
    return moved(order, OrderState.QUEUED, at, reason, text).model_copy(update={"listing": Listing.WAITING, "owns_lane": False})

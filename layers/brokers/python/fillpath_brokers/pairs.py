"""Exit pairs: two orders at a venue (take profit, stop loss) that the order path sees as one leg.

In: the views of both; out: one view. The pair's `broker_order_id` names both orders, joined by a plus sign.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import LegView

_JOIN = "+"


def pair_id(ids: Iterable[str]) -> str:
    """The name of a pair (or of a single exit)."""
    return _JOIN.join(ids)


def ids_of(broker_order_id: str) -> tuple[str, ...]:
    """The orders that a name stands for."""
    return tuple(broker_order_id.split(_JOIN))


def ids_in(names: Iterable[str]) -> frozenset[str]:
    """Every order that these names stand for."""
    return frozenset(each for name in names for each in ids_of(name))


def exits_wanted(leg: Leg | None) -> int:
    """How many exits are placed with the leg: none, unless it is a bracket."""
    if leg is None or leg.type is OrderType.OCO:
        return 0
    return sum(price is not None for price in (leg.take_profit, leg.stop_loss))


def pair_quantity_fits(leg: Leg, ordered: Sequence[Decimal], filled: Sequence[Decimal]) -> bool:
    """Whether both together exit what the leg does, where a venue takes what fills of one off the other (or does not)."""
    return max(ordered) <= leg.quantity <= max(ordered) + sum(filled, Decimal(0))


def pair_view(views: Sequence[LegView], quantity: Decimal) -> LegView:
    """Both as one: what filled of either counts, and it works as long as one of them does. `quantity` is what they exit.

    Where all of it has filled and one half still works, that half could open a position: the pair has not ended.
    """
    at_work = [view for view in views if not view.status.ended]
    filled = sum((view.filled_quantity for view in views), Decimal(0))
    priced = [(view.filled_quantity, view.average_price) for view in views if view.filled_quantity]
    value = sum((part * price for part, price in priced if price is not None), Decimal(0))
    all_priced = all(price is not None for _, price in priced)
    return LegView(
        status=_status(views, filled, quantity),
        broker_order_id=pair_id(view.broker_order_id for view in views if view.broker_order_id),
        filled_quantity=filled,
        average_price=value / filled if filled and all_priced else None,
        commission=sum((view.commission for view in views), Decimal(0)),
        filled_at=max((view.filled_at for view in views if view.filled_at), default=None),
        reason=next((view.reason for view in views if view.reason), None),
        text=next((view.text for view in views if view.text), None),
        open_quantity=_largest(at_work),
        halved=bool(at_work) and any(view.status.ended and view.status is not LegStatus.FILLED for view in views),
    )


def _largest(views: Sequence[LegView]) -> Decimal | None:
    known = [view.open_quantity for view in views if view.open_quantity is not None]
    return max(known) if known and len(known) == len(views) else None


def _status(views: Sequence[LegView], filled: Decimal, quantity: Decimal) -> LegStatus:
    statuses = [view.status for view in views]
    if not all(status.ended for status in statuses):
        return LegStatus.PARTIALLY_FILLED if filled else LegStatus.WORKING
    if filled >= quantity > 0:
        return LegStatus.FILLED
    for status in (LegStatus.FILLED, LegStatus.CANCELLED, LegStatus.EXPIRED):
        if status in statuses:
            return status
    return LegStatus.REJECTED

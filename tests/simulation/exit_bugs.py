"""Planted bugs around the exits of brackets."""

from fillpath.orders import floor, sizing, transitions, upkeep, working
from fillpath.orders.model import Leg, LegStatus, Order, OrderType
from tests.simulation.history import VenueOrder
from tests.simulation.planting import Bug, Soil
from tests.simulation.venue import Mood, Venue


def _exits_not_kept(soil: Soil) -> None:
    soil.replace(floor._keep_exits, lambda *_: None)


def _exits_not_cleared(soil: Soil) -> None:
    """A close leaves the exits of a bracket at work."""
    one = working._clear_one
    soil.replace(one, lambda by, order_id, on: on.orders.get(order_id).parent_id is not None or one(by, order_id, on))
    soil.replace(working.is_clear, lambda *_: True)


def _exits_too_large(soil: Soil) -> None:
    """Exits are placed again for the size of their entry, whatever of it was filled."""
    soil.replace(sizing.unprotected, lambda *_: None)


def _exits_not_placed_again(soil: Soil) -> None:
    """Exits that the venue ended are taken for done."""
    makes_way = transitions._makes_way

    def done(order: Order, leg: Leg, wanted: bool) -> object:
        return makes_way(order, leg, wanted) if leg.leg != transitions.EXITS or order.suspended_by else None

    soil.replace(makes_way, done)


def _pair_not_tied(soil: Soil) -> None:
    """One exit fills, and the other one stays."""
    end = Venue._end

    def left(self: Venue, order: VenueOrder, status: LegStatus, reason: str | None = None) -> None:
        fills = order.ended_at is None and status is LegStatus.FILLED
        end(self, order, status, reason)
        if fills and order.leg.type is OrderType.OCO:
            self._new(order.account_id, order.leg.model_copy(update={"type": OrderType.STOP, "limit_price": None}), Mood())

    soil.put(Venue, "_end", left)


def _exits_outlive_position(soil: Soil) -> None:
    soil.replace(upkeep.keep_in_step, lambda order, _on: order)


def _halves_stay(soil: Soil) -> None:
    """That a pair has lost one half is not looked at."""
    soil.replace(upkeep._make_whole, lambda order, *_: order)


def _exits_overlap(soil: Soil) -> None:
    """What other brackets' exits take is not left to them."""
    soil.replace(sizing._beside, lambda *_: [])


EXIT_BUGS = (
    Bug("exits_not_kept", "the exits of a bracket are not kept", _exits_not_kept),
    Bug("exits_not_cleared", "a close leaves the exits of a bracket at work", _exits_not_cleared),
    Bug("exits_too_large", "exits are placed again for more than their entry has filled", _exits_too_large),
    Bug("exits_not_again", "exits that the venue ends are not placed again", _exits_not_placed_again),
    Bug("pair_not_tied", "one exit fills and the other one stays", _pair_not_tied),
    Bug("exits_outlive", "exits outlive their position", _exits_outlive_position),
    Bug("halves_stay", "a pair that lost one half is left so", _halves_stay),
    Bug("exits_overlap", "exits are placed over those of another bracket", _exits_overlap),
)

"""Rules for the exits of brackets: one pair for what is held, no larger than that, and none that would open a position."""

from collections import defaultdict
from decimal import Decimal

from fillpath.orders.model import Lane, Order, Side
from tests.simulation.evidence import Evidence
from tests.simulation.history import VenueOrder
from tests.simulation.violation import Judgement, Violation

_MADE_WHOLE_S = 300


def exits_are_no_larger_than_what_their_entry_filled(e: Evidence) -> Judgement:
    """Each time exits are placed again, it is for what is left of their entry's fills then."""
    for order in e.final.values():
        for placed in e.of_order[order.order_id] if order.parent_id else ():
            due = e.to_exit(order, placed.placed_at)
            if placed.entry is None and placed.leg.quantity > due:
                yield Violation("protection", f"{placed.name} exits more than the {due} that are left of its entry")


def what_a_bracket_holds_is_protected(e: Evidence) -> Judgement:
    """At the end each bracket has one pair of exits for what is held of it, together no more than that, and none when flat."""
    for (account_id, contract, side), orders in _exits_at_the_end(e).items():
        held = max(Decimal(0), -side.sign * e.history.held.get((account_id, contract), Decimal(0)))
        mine = [placed for order in orders for placed in e.of_order[order.order_id] if e.at_work(placed)]
        others = sum((e.at_work(o) for o in _resting_reductions(e, account_id, contract) if o not in mine), Decimal(0))
        at_work = sum(map(e.at_work, mine), Decimal(0))
        due = min(held, sum((e.to_exit(order, e.history.ended_at) for order in orders), Decimal(0)))
        if len({e.order_id(placed) for placed in mine}) < len(mine):
            yield Violation("protection", f"more than one order exits for a bracket in {contract}")
        if at_work > held or at_work + others < due or not held:
            text = f"{at_work} of {contract} would exit for {len(orders)} brackets, {due} were to be protected of {held}"
            yield Violation("protection", text)


def _exits_at_the_end(e: Evidence) -> dict[tuple[str, str, Side], list[Order]]:
    """The orders that keep exits and have not ended, by account, contract and side, but for those that nobody can settle yet."""
    found: dict[tuple[str, str, Side], list[Order]] = defaultdict(list)
    for order in e.final.values():
        if (
            order.parent_id
            and not order.state.ended
            and e.final[order.parent_id].state.ended
            and not e.history.unknown.get(order.lane)
        ):
            found[order.account_id, order.legs[-1].contract, order.legs[-1].side].append(order)
    return found


def _resting_reductions(e: Evidence, account_id: str, contract: str) -> list[VenueOrder]:
    return [o for o in e.history.placed if o.account_id == account_id and o.leg.contract == contract and e.is_reduction(o)]


def no_pair_is_left_with_one_half(e: Evidence) -> Judgement:
    """A pair that lost one half is made whole again within minutes."""
    for placed in e.history.placed:
        lane = Lane(placed.account_id, placed.root)
        long_ago = placed.halved_at is not None and placed.halved_at < e.history.ended_at - _MADE_WHOLE_S
        if long_ago and e.at_work(placed) and not e.history.unknown.get(lane):
            yield Violation("protection", f"{placed.name} has had one half only since {placed.halved_at}")


def nothing_rests_that_would_open(e: Evidence) -> Judgement:
    """At a venue that knows no reduce-only orders, what was to exit ends with its position."""
    for placed in () if e.history.capabilities.reduce_only else e.history.placed:
        held = e.history.held.get((placed.account_id, placed.leg.contract), Decimal(0))
        lane = Lane(placed.account_id, placed.root)
        if e.is_reduction(placed) and e.at_work(placed) and held * placed.leg.side.sign >= 0 and not e.history.unknown.get(lane):
            yield Violation("protection", f"{placed.name} rests, and {held} is held")

"""How one of our orders is found again at Schwab, which keeps no client order ids. In: references; out: views.

By its id: a pair of exits is named `a+b`; an order that took the place of one that was filled in part is named `old>new`, so that
what filled of both is counted. A replaced order is followed to its successor. Without an id, an order is known by what was sent
and when: exactly one that was entered in that time may agree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import LegView
from fillpath_brokers.documents import moment, number, readable
from fillpath_brokers.pairs import exits_wanted, ids_in, ids_of, pair_view
from fillpath_brokers.remembered import Remembered
from fillpath_brokers.schwab.bodies import may_be_what_was_sent
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.schwab.wire import (
    REPLACED,
    Document,
    entered_at,
    exits_of,
    filled_of,
    instruction_of,
    is_group,
    order_id,
    singles,
    symbol_of,
    view_of,
)
from fillpath_brokers.window import Window

THEN = ">"
"""Between an order and the one that took its place, in the name of both."""
_MOST_REPLACED = 20
_MOST_OWNERS = 1000
_REPLACED_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Found:
    """A single order as it is now: the document, and those that it took the place of."""

    order: Document
    before: tuple[Document, ...] = ()

    @property
    def view(self) -> LegView:
        """What filled of all of them, under the name that finds them all again."""
        view = view_of(self.order, self.before)
        filled = [order_id(each) for each in self.before if filled_of(each)]
        return replace(view, broker_order_id=THEN.join([*filled, order_id(self.order)]))


class LookUp:
    """The orders of one account."""

    def __init__(self, trader: Trader, settings: Settings) -> None:
        self._trader = trader
        self._settings = settings
        self._owners: Remembered[str, str] = Remembered(_MOST_OWNERS)

    def belongs(self, name: str, leg: Leg | None) -> None:
        """This order is known to be that leg, so it is taken for no other one that was sent alike."""
        if leg is None:
            return
        for each in _orders_in([name]):
            self._owners.put(each, leg.client_order_id)

    def by_name(self, name: str, leg: Leg | None) -> LegView | None:
        """The order or pair of this name; None: Schwab shows no such order."""
        self.belongs(name, leg)
        found = [self.single(each) for each in ids_of(name)]
        known = [each for each in found if each is not None]
        if not known:
            return None
        if len(known) < len(found):
            raise BrokerUnavailable(f"Schwab shows only one of the exits {name}")
        if len(known) > 1:
            return _pair(known, leg)
        return self._with_exits(known[0], leg)

    def by_content(self, leg: Leg, body: Mapping[str, Any], others: Iterable[str] = ()) -> LegView | None:
        """The one order that was entered when the leg was sent, and agrees with what was sent; None: there is none.

        None of `others`, names of orders that are known to be somebody else's.
        """
        found = self.sent(leg, body, others)
        return None if found is None else self.shown(found, leg)

    def sent(self, leg: Leg, body: Mapping[str, Any], others: Iterable[str] = ()) -> Document | None:
        """The same as a document."""
        taken = _orders_in(others)
        orders, window = self._entered(leg)
        with readable("Schwab's orders"):
            free = [order for order in orders if not self._is_of_another(order, leg) and taken.isdisjoint(_names(order))]
            alike = [order for order in free if may_be_what_was_sent(order, body, leg)]
            inside = [order for order in alike if window.holds(entered_at(order) or window.opens)]
        if "childOrderStrategies" in body:
            inside = [order for order in inside if order.get("childOrderStrategies")] or inside
        if len(inside) > 1:
            names = ", ".join(str(order.get("orderId")) for order in inside)
            raise BrokerUnavailable(f"cannot tell which of the orders {names} is {leg.client_order_id}")
        if alike and not inside and not window.certain:
            raise BrokerUnavailable(f"Schwab does not tell its time, so one entered at another may be {leg.client_order_id}")
        return inside[0] if inside else None

    def shown(self, order: Document, leg: Leg | None) -> LegView:
        """A document as a view, with the exits that belong to it; an exit pair as a pair."""
        if is_group(order):
            exits = [self._followed(each) for each in exits_of(order)]
            if len(exits) < 2:
                raise BrokerUnavailable("Schwab does not show both exits of a pair yet")
            return _pair(exits, leg)
        return self._with_exits(self._followed(order), leg)

    def around(self, name: str) -> list[Found]:
        """Every single order that belongs to the one of this id, itself among them; none if Schwab does not show it."""
        order = self._trader.order(name)
        return [] if order is None else [self._followed(each) for each in singles([order])]

    def single(self, name: str) -> Found | None:
        """The single order of this name, followed to its newest successor."""
        *earlier, newest = name.split(THEN)
        order = self._trader.order(newest)
        if order is None:
            return None
        return self._followed(order, tuple(self._required(each) for each in earlier))

    def _entered(self, leg: Leg) -> tuple[list[Document], Window]:
        """What was entered when the leg can have been, by Schwab's clock, and that time; with all around it if nobody knows."""
        ours = Window.of(leg, self._settings.look_up_skew_s, self._settings.quarantine_s)
        asked = ours.widened()
        orders = self._trader.orders(asked.opens, asked.closes)
        window = ours.by(self._trader.venue_clock.apart)
        if not window.within(asked):
            orders = self._trader.orders(window.opens, window.closes)
        with readable("Schwab's orders"):
            return [order for order in orders if window.may_hold(entered_at(order) or window.opens)], window

    def _is_of_another(self, order: Document, leg: Leg) -> bool:
        return any(self._owners.get(name) not in (None, leg.client_order_id) for name in _names(order))

    def _with_exits(self, found: Found, leg: Leg | None) -> LegView:
        exits = [self._followed(each) for each in self._exits(found)]
        if len(exits) < exits_wanted(leg) and found.view.status is not LegStatus.REJECTED:
            raise BrokerUnavailable(f"Schwab does not show the exits of order {order_id(found.order)} yet")
        return replace(found.view, exits=_pair(exits, leg)) if exits else found.view

    def _exits(self, found: Found) -> tuple[Document, ...]:
        """Those of the newest in the chain that has any."""
        for order in (found.order, *reversed(found.before)):
            if exits := exits_of(order):
                return exits
        return ()

    def _followed(self, order: Document, before: tuple[Document, ...] = ()) -> Found:
        for _ in range(_MOST_REPLACED):
            if order.get("status") != REPLACED:
                return Found(order, () if self._settings.replace_counts_filled else before)
            before, order = (*before, order), self._successor(order)
        raise BrokerUnavailable(f"order {order_id(order)} was replaced too often to be followed")

    def _successor(self, order: Document) -> Document:
        """What took the place of a replaced order: as it says itself, or else the one like it that was entered at that moment."""
        named = order.get("replacingOrderCollection") or ()
        if named:
            newest = named[-1]
            return self._required(str(newest.get("orderId") if isinstance(newest, Mapping) else newest))
        if not order.get("closeTime"):
            raise BrokerUnavailable(f"Schwab does not say what replaced order {order_id(order)}")
        closed = moment(order["closeTime"])
        skew = timedelta(seconds=self._settings.look_up_skew_s)
        near = singles(self._trader.orders(closed - skew, closed + _REPLACED_WITHIN))
        alike = [each for each in near if _may_replace(each, order)]
        if len(alike) != 1:
            raise BrokerUnavailable(f"cannot tell which order replaced {order_id(order)}: {len(alike)} may have")
        return alike[0]

    def _required(self, name: str) -> Document:
        order = self._trader.order(name)
        if order is None:
            raise BrokerUnavailable(f"Schwab does not show order {name} any more")
        return order


def _orders_in(names: Iterable[str]) -> frozenset[str]:
    """Every order that these names stand for, those that were replaced included."""
    return frozenset(each for part in ids_in(names) for each in part.split(THEN))


def _names(order: Document) -> list[str]:
    """A pair is known by the names of its exits."""
    return [str(each.get("orderId")) for each in (exits_of(order) if is_group(order) else (order,))]


def _may_replace(new: Document, old: Document) -> bool:
    same = ("orderType", "duration")
    return (
        int(order_id(new)) > int(order_id(old))
        and all(new.get(name) == old.get(name) for name in same)
        and (symbol_of(new), instruction_of(new)) == (symbol_of(old), instruction_of(old))
    )


def _pair(exits: list[Found], leg: Leg | None) -> LegView:
    """What they exit is what the leg says: both shrink as the other one fills."""
    with readable("Schwab's exits"):
        quantity = leg.quantity if leg else max(number(each.order["quantity"]) for each in exits)
    return pair_view([each.view for each in exits], quantity)

"""What became of orders at Tradovate. In: references, instants; out: views, working orders, fills."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView
from fillpath_brokers.documents import moment, number, readable
from fillpath_brokers.facade import BrokerOrder, Execution, OrderRef
from fillpath_brokers.pairs import exits_wanted, pair_view
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.look_up import LookUp, placed_by
from fillpath_brokers.tradovate.reading import Reading, live
from fillpath_brokers.tradovate.wire import counted, execution, view_of, working_order


class OrderBook:
    """One account's orders, as far as they are looked at."""

    def __init__(self, calls: Calls, reading: Reading, look_up: LookUp) -> None:
        self._calls = calls
        self._reading = reading
        self._look_up = look_up

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, the pair, or the entry with its exits; None if Tradovate shows no such order."""
        ids = self._look_up.ids(ref)
        if not ids:
            return None
        leg = ref.leg
        exits = self._look_up.exits(ids[0], leg) if leg is not None and exits_wanted(leg) and len(ids) == 1 else ()
        watched = leg is not None and leg.reduce_only and leg.resting  # exits: they may have become too large
        views = self._reading.views((*ids, *exits), _sizes((*ids, *exits), leg), exact=watched)
        if not any(each in views for each in ids):
            return None
        if len(ids) > 1:
            return self._together(ids, views, leg)
        view = views[ids[0]]
        return replace(view, exits=self._together(exits, views, leg)) if exits else view

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order of the account, exits that wait for their entry included."""
        working = live(self._reading.order_list())
        ids = [int(order["id"]) for order in working]
        if not ids:
            return ()
        versions, fills = self._reading.versions(ids), self._reading.fills(ids)
        named = {order_id: name for name, order_id in placed_by(self._reading.commands()).items()}
        if missing := set(ids) - versions.keys():
            raise BrokerUnavailable(f"Tradovate does not say what order {min(missing)} is like")
        with readable("Tradovate's orders"):
            contracts = self._reading.names({int(order["contractId"]) for order in working})
            return tuple(
                working_order(
                    order,
                    versions[each],
                    view_of(order, fills[each], number(versions[each]["orderQty"])),
                    contracts[int(order["contractId"])],
                    named.get(each, ""),
                )
                for each, order in zip(ids, working, strict=True)
            )

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, the oldest first, as far back as Tradovate lists fills."""
        orders, fills = self._reading.order_list(), self._calls.listed("fill/list")
        with readable("Tradovate's fills"):
            mine = {int(order["id"]) for order in orders}
            found = [each for each in counted(fills) if int(each["orderId"]) in mine and moment(each["timestamp"]) >= since]
            contracts = self._reading.names({int(fill["contractId"]) for fill in found})
            executions = [execution(fill, contracts[int(fill["contractId"])]) for fill in found]
            return tuple(sorted(executions, key=lambda each: (each.at, int(each.execution_id))))

    def _together(self, ids: Sequence[int], views: dict[int, LegView], leg: Leg | None) -> LegView:
        missing = [each for each in ids if each not in views]
        if missing:
            raise BrokerUnavailable(f"Tradovate does not show order {missing[0]}, which belongs to another one")
        size = leg.quantity if leg is not None else max(self._reading.size(each) for each in ids)
        return pair_view([views[each] for each in ids], size)


def _sizes(ids: Sequence[int], leg: Leg | None) -> dict[int, Decimal]:
    return {} if leg is None else dict.fromkeys(ids, leg.quantity)

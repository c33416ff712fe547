"""Look-ups: which orders at Tradovate a reference means. In: a reference; out: ids.

An order is known by its id; else by its client order id, which Tradovate keeps on the command that placed it; else by what was
sent, and when: the one order of the account without an id of its own that is exactly so. Exits carry ids of ours as well (their
entry's, with an ending); where those are missing they are found by the links between orders, which are not documented.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, OrderType
from fillpath_brokers.documents import moment_or_none
from fillpath_brokers.facade import OrderRef
from fillpath_brokers.pairs import ids_in, ids_of
from fillpath_brokers.tradovate.reading import Reading
from fillpath_brokers.tradovate.symbols import to_venue
from fillpath_brokers.tradovate.wire import STOP_LOSS, TAKE_PROFIT, is_as_sent, side_of
from fillpath_brokers.window import Window

Document = Mapping[str, Any]
_LINKS = ("parentId", "ocoId", "linkedId")


class LookUp:
    """Looks orders up in one account. Raises BrokerUnavailable."""

    def __init__(self, reading: Reading, skew_s: float, quarantine_s: int) -> None:
        self._reading = reading
        self._skew_s = skew_s
        self._quarantine_s = quarantine_s

    def ids(self, ref: OrderRef) -> tuple[int, ...]:
        """The order, or both of a pair; empty if there is none."""
        if ref.broker_order_id:
            return tuple(int(each) for each in ids_of(ref.broker_order_id))
        commands = placed_by(self._reading.commands())
        found = commands.get(ref.client_order_id)
        if found is None and ref.leg is not None:
            known = {int(each) for each in ids_in(ref.others)} | set(commands.values())
            found = self._as_sent(ref.leg, known)
        if found is None:
            return ()
        if ref.leg is None or ref.leg.type is not OrderType.OCO:
            return (found,)
        return self._pair(found, commands.get(ref.client_order_id + STOP_LOSS))

    def exits(self, entry: int, leg: Leg) -> tuple[int, ...]:
        """The exits that were placed with an entry; BrokerUnavailable if they do not all show."""
        if leg.exits_ref:
            return tuple(int(each) for each in ids_of(leg.exits_ref))
        wanted = [
            leg.client_order_id + ending
            for ending, price in ((TAKE_PROFIT, leg.take_profit), (STOP_LOSS, leg.stop_loss))
            if price is not None
        ]
        commands = placed_by(self._reading.commands())
        named = [commands[each] for each in wanted if each in commands]
        if len(named) == len(wanted):
            return tuple(named)
        linked = self._linked(entry, leg)
        if len(linked) != len(wanted):
            raise BrokerUnavailable(f"Tradovate does not show the exits of {leg.client_order_id} yet")
        return linked

    def _linked(self, entry: int, leg: Leg) -> tuple[int, ...]:
        """Orders of the other side that name the entry, the first one's id before the second's."""
        orders = self._reading.order_list()
        found = [order for order in orders if entry in _links(order) and side_of(order) is leg.side.opposite]
        return tuple(sorted(int(order["id"]) for order in found))

    def _pair(self, first: int, second: int | None) -> tuple[int, ...]:
        if second is not None:
            return first, second
        orders = {int(order["id"]): order for order in self._reading.order_list()}
        linked = [each for each, order in orders.items() if first in _links(order)]
        linked += [each for each in _links(orders.get(first, {})) if each in orders]
        others = sorted(set(linked) - {first})
        if len(others) != 1:
            raise BrokerUnavailable("Tradovate shows one order of the pair, and not which one belongs to it")
        return first, others[0]

    def _as_sent(self, leg: Leg, others: set[int]) -> int | None:
        """`others` are known to be somebody else's: they have client order ids, or the caller knows them."""
        if leg.prepared_at is None or leg.submit_by is None:
            return None
        contract = self._reading.contract(to_venue(leg.contract))
        if contract is None:
            raise BrokerUnavailable(f"Tradovate does not show the contract {leg.contract}, in which an order may be")
        candidates = list(self._of(contract, leg, others))
        window = Window.of(leg, self._skew_s, self._quarantine_s).by(self._reading.apart)
        placed = {int(order["id"]): moment_or_none(order.get("timestamp")) or window.opens for order in candidates}
        near = [each for each, at in placed.items() if window.may_hold(at)]
        versions = self._reading.versions(near) if near else {}
        alike = [each for each, version in versions.items() if is_as_sent(leg, version)]
        same = [each for each in alike if window.holds(placed[each])]
        if len(same) > 1:
            raise BrokerUnavailable(f"cannot tell which of {len(same)} orders at Tradovate is {leg.client_order_id}")
        if alike and not same and not window.certain:
            raise BrokerUnavailable(f"Tradovate does not tell its time, so one placed at another may be {leg.client_order_id}")
        return same[0] if same else None

    def _of(self, contract: Document, leg: Leg, others: set[int]) -> Iterable[Document]:
        for order in self._reading.order_list():
            mine = order.get("contractId") == contract["id"] and side_of(order) is leg.side
            if mine and not order.get("parentId") and int(order["id"]) not in others:
                yield order


def placed_by(commands: Iterable[Document]) -> dict[str, int]:
    """Order ids by the client order ids under which they were placed."""
    placing = (each for each in commands if each.get("commandType") == "New" and each.get("clOrdId"))
    return {str(each["clOrdId"]): int(each["orderId"]) for each in placing}


def _links(order: Document) -> set[int]:
    return {int(order[name]) for name in _LINKS if order.get(name)}

"""The entities that the user socket tells, kept: a snapshot and events come in, what they say of orders comes out.

Kinds come in any order. An order is told once its version and its contract are known, and while it is new also the command that
placed it, which has our id; and again whenever that changes anything.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath_brokers.documents import number
from fillpath_brokers.facade import OrderUpdate
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.tradovate.refusals import why_rejected
from fillpath_brokers.tradovate.symbols import shown
from fillpath_brokers.tradovate.wire import fees_in, newest, side_of, view_of

Entity = Mapping[str, Any]
KINDS = ("order", "orderVersion", "fill", "fillFee", "command", "commandReport", "executionReport", "contract")


class Entities:
    """Those of one account."""

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id
        self._kept: dict[str, dict[int, Entity]] = {kind: {} for kind in KINDS}
        self._told: dict[int, OrderUpdate] = {}

    def load(self, snapshot: Mapping[str, Any]) -> None:
        """Keep what the snapshot has. What its orders are counts as told: there is a Gap before it, or nothing."""
        for kind in KINDS:
            listed = snapshot.get(f"{kind}s") or ()
            self._keep(kind, (each for each in listed if isinstance(each, Mapping) and "id" in each))
        for order_id in self._kept["order"]:
            self.update(order_id)

    def change(self, kind: str, event: str, entities: Iterable[Entity]) -> set[int]:
        """Keep or forget these; the orders that it may change."""
        if kind not in self._kept:
            return set()
        entities = [each for each in entities if "id" in each]
        self._keep(kind, entities)
        touched = {order_id for each in entities for order_id in self._touched(kind, each)}
        if event == "Deleted":
            for each in entities:
                self._kept[kind].pop(int(each["id"]), None)
        return touched

    def missing_contracts(self, order_ids: Iterable[int]) -> set[int]:
        """The contracts of these orders that nobody has told yet."""
        orders = (self._kept["order"].get(each) for each in order_ids)
        wanted = {int(order["contractId"]) for order in orders if order and self._is_ours(order) and order.get("contractId")}
        return wanted - self._kept["contract"].keys()

    def update(self, order_id: int) -> OrderUpdate | None:
        """What is to be told of an order; None: nothing new, or not yet."""
        try:
            update = self._update(order_id)
        except (BrokerUnavailable, KeyError, TypeError, ValueError, ArithmeticError) as exc:
            unread.count("tradovate order", exc)
            return None
        if update is None or update == self._told.get(order_id):
            return None
        self._told[order_id] = update
        return update

    def _update(self, order_id: int) -> OrderUpdate | None:
        order = self._kept["order"].get(order_id)
        version = newest(self._of("orderVersion", order_id))
        if order is None or version is None or not self._is_ours(order) or order.get("ordStatus") == "Unknown":
            return None
        contract = self._kept["contract"].get(int(order["contractId"]))
        if contract is None:
            return None
        fills, commands = self._of("fill", order_id), self._of("command", order_id)
        if order["ordStatus"] == "PendingNew" and not commands:
            return None
        paid = fees_in(self._kept["fillFee"].get(int(fill["id"]), {}) for fill in fills)
        why = why_rejected(self._reports(order_id, commands)) if order["ordStatus"] == "Rejected" else None
        view = view_of(order, fills, number(version["orderQty"]), commission=paid, why=why)
        named = [str(each["clOrdId"]) for each in commands if each.get("commandType") == "New" and each.get("clOrdId")]
        return OrderUpdate(named[0] if named else "", shown(str(contract["name"])), side_of(order), view)

    def _reports(self, order_id: int, commands: Iterable[Entity]) -> list[Entity]:
        ids = {int(each["id"]) for each in commands}
        reports = [each for each in self._kept["commandReport"].values() if int(each["commandId"]) in ids]
        return [*reports, *self._of("executionReport", order_id)]

    def _touched(self, kind: str, entity: Entity) -> Iterable[int]:
        match kind:
            case "order":
                return [int(entity["id"])]
            case "contract":
                return [each for each, order in self._kept["order"].items() if order.get("contractId") == entity["id"]]
            case "fillFee":
                fill = self._kept["fill"].get(int(entity["id"]))
                return [int(fill["orderId"])] if fill else []
            case "commandReport":
                command = self._kept["command"].get(int(entity["commandId"]))
                return [int(command["orderId"])] if command else []
        return [int(entity["orderId"])]

    def _of(self, kind: str, order_id: int) -> list[Entity]:
        return [each for each in self._kept[kind].values() if each.get("orderId") == order_id]

    def _keep(self, kind: str, entities: Iterable[Entity]) -> None:
        self._kept[kind].update((int(each["id"]), each) for each in entities)

    def _is_ours(self, order: Entity) -> bool:
        return bool(order.get("accountId") == self._account_id)

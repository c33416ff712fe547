"""What happens at the exchange as Tradovate's entities: its events come in, entities and the journal of changes come out."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

from fillpath.orders.model import LegStatus, OrderType
from tests.simulators.events import EventKind, OrderEvent, SimFill, SimOrder
from tests.simulators.exchange import ACCOUNT, SimulatedExchange
from tests.simulators.tradovate.catalogue import catalogue
from tests.simulators.tradovate.gate import USER_ID, USER_NAME, stamp

Document = dict[str, Any]
ACCOUNT_ID, ACCOUNT_NAME = 123, "DEMO123456"
TYPES = {
    OrderType.MARKET: "Market",
    OrderType.LIMIT: "Limit",
    OrderType.STOP: "Stop",
    OrderType.STOP_LIMIT: "StopLimit",
    OrderType.TRAILING_STOP: "TrailingStop",
}
TIMES = {"day": "Day", "gtc": "GTC", "ioc": "IOC", "fok": "FOK"}
_ENDS = {
    LegStatus.FILLED: "Filled",
    LegStatus.CANCELLED: "Canceled",
    LegStatus.EXPIRED: "Expired",
    LegStatus.REJECTED: "Rejected",
}
_MASTERS = {
    "order": "accountId",
    "position": "accountId",
    "cashBalance": "accountId",
    "orderVersion": "orderId",
    "fill": "orderId",
    "command": "orderId",
    "fillFee": "id",
    "contractMargin": "id",
    "commandReport": "commandId",
    "executionReport": "commandId",
    "contract": "contractMaturityId",
    "contractMaturity": "productId",
    "account": "userId",
}
_SYNCED = (
    "account",
    "cashBalance",
    "position",
    "order",
    "contract",
    "contractMaturity",
    "product",
    "command",
    "commandReport",
    "executionReport",
    "orderVersion",
    "fill",
    "fillFee",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal."""

    kind: str
    event: str
    entity: Document


class World:
    """All entities of the one user, and what was told about them."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange
        self.names: dict[str, str] = {}
        self.requests: list[tuple[str, Any]] = []
        self._begin()

    def _begin(self) -> None:
        self.entities: dict[str, dict[int, Document]] = {kind: {} for kind in _MASTERS}
        self.journal: list[Entry] = []
        self._ids: dict[str, int] = {}
        self._number = count(210_000)
        self._seen: dict[str, SimOrder] = {}
        self._read = 0
        self._traded: Counter[str] = Counter()
        for kind, entities in catalogue(self.exchange.now()).items():
            self.entities[kind] = {each["id"]: each for each in entities}
        self.entities.setdefault("product", {})
        self._contract_ids = {each["name"]: each["id"] for each in self.entities["contract"].values()}
        self.entities["account"][ACCOUNT_ID] = _account()

    def catch_up(self) -> None:
        """Take in what has happened at the exchange since the last time."""
        self.exchange.advance()
        if len(self.exchange.log) < self._read:  # it was reset
            self._begin()
        while self._read < len(self.exchange.log):
            event = self.exchange.log[self._read]
            self._read += 1
            self._happened(event)
        self._positions()

    def order_id(self, order_id: str) -> int:
        """Tradovate's number of an order of the exchange."""
        return self._ids.setdefault(order_id, next(self._number))

    def exchange_id(self, number: int) -> str | None:
        """The exchange's id of an order."""
        return next((each for each, known in self._ids.items() if known == number), None)

    def contract(self, name: str) -> Document | None:
        """A contract by its name."""
        number = self._contract_ids.get(name)
        return self.entities["contract"][number] if number else None

    def of_masters(self, kind: str, masters: set[int]) -> list[Document]:
        """The entities that depend on these."""
        return [each for each in self.entities[kind].values() if each.get(_MASTERS[kind]) in masters]

    def snapshot(self) -> Document:
        """What a synchronization answers: of the contracts those that are in use."""
        self.catch_up()
        used = {each["contractId"] for kind in ("order", "position") for each in self.entities[kind].values()}
        contracts = [self.entities["contract"][each] for each in sorted(used)]
        maturities = [self.entities["contractMaturity"][each["contractMaturityId"]] for each in contracts]
        narrowed = {"contract": contracts, "contractMaturity": maturities, "product": []}
        found = {f"{kind}s": narrowed.get(kind, list(self.entities[kind].values())) for kind in _SYNCED}
        found["contractMaturities"] = found.pop("contractMaturitys")
        return {"users": [_user()], "contractGroups": [{"id": 1, "name": "All"}], **found}

    def command(self, order_id: int, kind: str, client_order_id: str = "", status: str = "RiskPassed", text: str = "") -> int:
        """A command, and what became of it."""
        now = stamp(self.exchange.now())
        known = {"clOrdId": client_order_id} if client_order_id else {}
        command = {
            "id": next(self._number),
            "orderId": order_id,
            "timestamp": now,
            **known,
            "commandType": kind,
            "commandStatus": status,
            "isAutomated": True,
        }
        self._tell("command", command)
        why = {"rejectReason": "OtherExecutionRelated", "text": text} if status == "RiskRejected" else {}
        report = {"id": next(self._number), "commandId": command["id"], "timestamp": now, "commandStatus": status, **why}
        self._tell("commandReport", report)
        return int(command["id"])

    # --- inside -----------------------------------------------------------------------------------------------------------------

    def _happened(self, event: OrderEvent) -> None:
        order = event.order
        if order.id not in self._seen:
            self._appeared(order, event)
        else:
            self._changed(order)
        self._seen[order.id] = order
        if event.fill is not None:
            self._filled(order, event.fill)
        self._status(order, event.at)
        if order.status in {LegStatus.CANCELLED, LegStatus.EXPIRED}:
            self._report(order, "Canceled" if order.status is LegStatus.CANCELLED else "Expired", event.at)

    def _appeared(self, order: SimOrder, event: OrderEvent) -> None:
        state, number = order.state, self.order_id(order.id)
        links = {"parentId": state.parent, "ocoId": state.other}
        document = {
            "id": number,
            "accountId": ACCOUNT_ID,
            "contractId": self._contract_ids[state.contract],
            "timestamp": stamp(order.created_at),
            "action": state.side.value.capitalize(),
            "ordStatus": "PendingNew",
            **{name: self.order_id(linked) for name, linked in links.items() if linked},
            "admin": False,
        }
        self._tell("order", document)
        self._version(order)
        rejected = event.kind is EventKind.REJECTED
        text = order.state.reason or ""
        self.command(number, "New", self.names.get(order.id, ""), "RiskRejected" if rejected else "RiskPassed", text)
        if not rejected:
            self._report(order, "New", event.at)
            self._status(order, event.at, begun=True)

    def _changed(self, order: SimOrder) -> None:
        before = self._seen[order.id].state
        after = order.state
        names = ("quantity", "limit_price", "stop_price")
        if any(getattr(before, name) != getattr(after, name) for name in names):
            self._version(order)

    def _version(self, order: SimOrder) -> None:
        state = order.state
        values = {"price": state.limit_price, "stopPrice": state.stop_price, "pegDifference": state.trail_amount}
        self._tell(
            "orderVersion",
            {
                "id": next(self._number),
                "orderId": self.order_id(order.id),
                "orderQty": int(state.quantity),
                "orderType": TYPES[state.type],
                **{name: float(value) for name, value in values.items() if value is not None},
                "timeInForce": TIMES[state.time_in_force],
            },
        )

    def _filled(self, order: SimOrder, fill: SimFill) -> None:
        number = next(self._number)
        self._tell(
            "fill",
            {
                "id": number,
                "orderId": self.order_id(order.id),
                "contractId": self._contract_ids[fill.contract],
                "timestamp": stamp(fill.at),
                "tradeDate": _date(fill.at),
                "action": fill.side.capitalize(),
                "qty": int(fill.quantity),
                "price": float(fill.price),
                "active": True,
                "finallyPaired": 0,
            },
        )
        self._tell("fillFee", {"id": number, "commission": float(fill.commission), "exchangeFee": 0.0})
        self._report(order, "Trade", fill.at, {"lastQty": int(fill.quantity), "lastPx": float(fill.price)})

    def _status(self, order: SimOrder, at: datetime, *, begun: bool = False) -> None:
        held = "Suspended" if order.held else "Working"
        status = held if begun else _ENDS.get(order.status, held)
        known = self.entities["order"][self.order_id(order.id)]
        if known["ordStatus"] != status:
            self._tell("order", {**known, "ordStatus": status, "timestamp": known["timestamp"]}, "Updated")

    def _report(self, order: SimOrder, kind: str, at: datetime, more: Mapping[str, Any] | None = None) -> None:
        number = self.order_id(order.id)
        command = next(each["id"] for each in self.entities["command"].values() if each["orderId"] == number)
        price = order.average_price
        self._tell(
            "executionReport",
            {
                "id": next(self._number),
                "commandId": command,
                "name": f"sim-{len(self.entities['executionReport'])}",
                "accountId": ACCOUNT_ID,
                "contractId": self._contract_ids[order.state.contract],
                "timestamp": stamp(at),
                "tradeDate": _date(at),
                "orderId": number,
                "execType": kind,
                "action": order.state.side.value.capitalize(),
                "cumQty": int(order.state.filled_quantity),
                **({} if price is None else {"avgPx": float(price)}),
                **(more or {}),
            },
        )

    def _positions(self) -> None:
        held = self.exchange.positions(ACCOUNT)
        known = {each["contractId"]: each for each in self.entities["position"].values()}
        now = self.exchange.now()
        for name in [*held, *(each["name"] for each in self.entities["contract"].values() if each["id"] in known)]:
            if name not in self._contract_ids:
                continue
            quantity = held[name].quantity if name in held else Decimal(0)
            price = {"netPrice": float(held[name].average_price)} if name in held else {}
            before = known.get(self._contract_ids[name])
            if before is not None and (before["netPos"], before.get("netPrice")) == (int(quantity), price.get("netPrice")):
                continue
            number = before["id"] if before else next(self._number)
            document = {
                "id": number,
                "accountId": ACCOUNT_ID,
                "contractId": self._contract_ids[name],
                "timestamp": stamp(now),
                "tradeDate": _date(now),
                "netPos": int(quantity),
                **price,
                "bought": 0,
                "boughtValue": 0.0,
                "sold": 0,
                "soldValue": 0.0,
                "prevPos": 0,
            }
            known[self._contract_ids[name]] = document
            self._tell("position", document, "Updated" if before else "Created")
            self._tell("cashBalance", self._cash(now), "Updated" if self.entities["cashBalance"] else "Created")

    def _cash(self, now: datetime) -> Document:
        worth = self.exchange.balances(ACCOUNT)
        return {
            "id": 9001,
            "accountId": ACCOUNT_ID,
            "timestamp": stamp(now),
            "tradeDate": _date(now),
            "currencyId": 1,
            "amount": float(worth.cash),
            "realizedPnL": float(worth.realised_pnl),
        }

    def _tell(self, kind: str, entity: Document, event: str = "Created") -> None:
        self.entities[kind][entity["id"]] = entity
        self.journal.append(Entry(kind, event, entity))


def _account() -> Document:
    return {
        "id": ACCOUNT_ID,
        "name": ACCOUNT_NAME,
        "userId": USER_ID,
        "accountType": "Customer",
        "active": True,
        "clearingHouseId": 2,
        "riskCategoryId": 1,
        "autoLiqProfileId": 1,
        "marginAccountType": "Speculator",
        "legalStatus": "Individual",
    }


def _user() -> Document:
    return {
        "id": USER_ID,
        "name": USER_NAME,
        "timestamp": "2026-01-02T00:00:00.000Z",
        "email": "trader@example.com",
        "status": "Active",
        "professional": False,
    }


def _date(at: datetime) -> Document:
    return {"year": at.year, "month": at.month, "day": at.day}

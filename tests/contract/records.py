"""Records as the suites need them: valid, small, and different in what a case names."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fillpath.accounts.model import Account, Route, User, Webhook
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.alerts.ports.alert_store import InboxEntry
from fillpath.ids import client_order_id, new_id
from fillpath.orders.model import Leg, LegStatus, Listing, Operation, Order, OrderState, Side

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def an_order(received_at: datetime = NOW, **changes: Any) -> Order:
    order_id = new_id(received_at)
    content: dict[str, Any] = {
        "order_id": order_id,
        "alert_id": new_id(received_at),
        "user_id": "ann",
        "account_id": "acc-1",
        "venue": "paper",
        "webhook_id": "hook-1",
        "symbol": "ES1!",
        "root": "ES",
        "contract": "ESH6",
        "action": "buy",
        "operation": Operation.ENTER_LONG,
        "quantity": Decimal("1.50"),
        "alert_time": received_at,
        "received_at": received_at,
        "deadline": received_at + timedelta(seconds=60),
        "reduces": False,
        "listing": Listing.WAITING,
    }
    return Order(**content | changes)


def a_leg(order: Order, **changes: Any) -> Leg:
    content: dict[str, Any] = {
        "leg": "main",
        "client_order_id": client_order_id(order.order_id, "main"),
        "contract": order.contract,
        "side": Side.SELL,
        "quantity": Decimal(2),
        "status": LegStatus.WORKING,
        "submit_by": NOW,
    }
    return Leg(**content | changes)


def changed(order: Order, **changes: Any) -> Order:
    return order.model_copy(update=changes)


def rejected(order: Order) -> Order:
    return changed(order, state=OrderState.REJECTED, reason="halted", listing=Listing.NONE)


def an_entry(*orders: Order, **changes: Any) -> InboxEntry:
    content: dict[str, Any] = {
        "alert_id": orders[0].alert_id if orders else new_id(NOW),
        "user_id": "ann",
        "webhook_id": "hook-1",
        "received_at": NOW,
        "code": "accepted",
        "layer": "commit",
        "reason": "",
        "body": '{"action": "buy", "secret": "***"}',
        "order_ids": tuple(order.order_id for order in orders),
    }
    return InboxEntry(**content | changes)


def a_user(user_id: str = "ann", **changes: Any) -> User:
    content: dict[str, Any] = {"user_id": user_id, "email": f"{user_id}@example.com", "created_at": NOW}
    return User(**content | changes)


def an_account(account_id: str = "acc-1", **changes: Any) -> Account:
    content: dict[str, Any] = {"account_id": account_id, "user_id": "ann", "venue": "paper", "label": "first", "created_at": NOW}
    return Account(**content | changes)


def a_webhook(webhook_id: str = "hook-1", **changes: Any) -> Webhook:
    routes = (Route(account_id="acc-1"), Route(account_id="acc-2", multiplier=Decimal("0.5")))
    content: dict[str, Any] = {"webhook_id": webhook_id, "user_id": "ann", "label": "first", "routes": routes, "created_at": NOW}
    return Webhook(**content | changes)


def an_owner(**changes: Any) -> TokenOwner:
    content: dict[str, Any] = {"webhook_id": "hook-1", "generation": 1, "user_id": "ann", "account_ids": ("acc-1", "acc-2")}
    return TokenOwner(**content | changes)

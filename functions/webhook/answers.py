"""HTTP answers of the webhook: which status goes with which code, and nothing else."""

import json
from collections.abc import Mapping
from typing import Any

from fillpath.alerts.body import TooLarge
from fillpath.errors import Refused
from fillpath.orders.model import Order
from fillpath.orders.result import order_result

Answer = dict[str, Any]

_STATUS = {
    "invalid_alert": 400,
    "unknown_token": 401,
    "bad_secret": 401,
    "stale_alert": 401,
    "daily_limit": 429,
    "cooldown": 429,
}
_FORBIDDEN = 403


def settled(alert_id: str, orders: tuple[Order, ...]) -> Answer:
    """200 if every order has ended, else 202 with the place to ask again."""
    body = {"alert_id": alert_id, "orders": [order_result(order) for order in orders]}
    if all(order.state.ended for order in orders):
        return _answer(200, body)
    return _answer(202, body, {"Location": f"/trading/orders?alert_id={alert_id}"})


def refused(refusal: Refused) -> Answer:
    """The refusal's code and message; everything without a status of its own is forbidden."""
    status = 413 if isinstance(refusal, TooLarge) else _STATUS.get(refusal.code, _FORBIDDEN)
    return _error(status, refusal.code, refusal.message, refusal.details)


def replayed(alert_id: str, orders: tuple[Order, ...]) -> Answer:
    """The same alert again: what it became the first time."""
    details = {"alert_id": alert_id, "orders": [order_result(order) for order in orders]}
    return _error(_FORBIDDEN, "replayed_alert", "this alert was accepted before; nothing more is executed", details)


def try_again() -> Answer:
    """Nothing was decided: TradingView sends a 503 again after 5 s, at most three times, and that succeeds."""
    return _error(503, "try_again", "the alert could not be kept; send it again", {})


def _error(status: int, code: str, message: str, details: Mapping[str, Any]) -> Answer:
    return _answer(status, {"error": code, "message": message, "details": dict(details)})


def _answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }

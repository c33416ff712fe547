"""The order record as JSON for callers: exact numbers as text, times in UTC, without what only the lane needs."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.orders.model import Order

_INTERNAL = {"version", "fence", "listing", "owns_lane", "suspended_by", "made_way_for"}


def order_record(order: Order) -> dict[str, Any]:
    """The whole record; `legs[]` and `events[]` (`at, from, to, reason`) included."""
    record: dict[str, Any] = _plain(order.model_dump(exclude=_INTERNAL))
    record["events"] = [_event(event) for event in record["events"]]
    return record


def order_result(order: Order) -> dict[str, Any]:
    """The record without user data, as the APIs answer it."""
    record = order_record(order)
    del record["user_id"]
    return record


def _event(event: dict[str, Any]) -> dict[str, Any]:
    return {"at": event["at"], "from": event["from_state"], "to": event["to_state"], "reason": event["reason"]}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case Decimal():
            return f"{value.normalize():f}" if value else "0"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
        case str():
            return str(value)
    return value

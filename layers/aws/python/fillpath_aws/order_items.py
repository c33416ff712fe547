"""The items of the orders table, as docs/tables.md describes them: records and lanes go in, items come out, and back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zlib import crc32

from fillpath.orders.model import Lane, Listing, Order, Side
from fillpath.orders.ports.order_store import InDoubt, LaneView, Waiting, Working
from fillpath_aws import wire
from fillpath_aws.wire import Item

SHARDS = tuple(f"OPEN#{number}" for number in range(4))
_PREFIX = {Listing.WAITING: "WAIT#", Listing.WORKING: "WORK#", Listing.UNKNOWN: "UNKNOWN#"}
_MARK = "reduced_at."
_OF_THE_TABLE = ("pk", "sk", "user", "open", "write_id")


def order_key(order_id: str) -> Item:
    """Where an order is."""
    return wire.item({"pk": f"ORDER#{order_id}", "sk": "ORDER"})


def lane_key(lane: Lane) -> Item:
    """Where a lane's own item is."""
    return wire.item({"pk": _lane_pk(lane), "sk": "LANE"})


def listing_key(order: Order) -> Item:
    """Where an order stands in its lane."""
    return wire.item({"pk": _lane_pk(order.lane), "sk": _PREFIX[order.listing] + order.order_id})


def mark_name(webhook_id: str) -> str:
    """The lane's attribute that holds the alert time of the webhook's newest executed reduction or target."""
    return _MARK + webhook_id


def order_item(order: Order, write_id: str) -> Item:
    """An order with its index attributes; `write_id` tells one writer's write from another's of the same version."""
    keys = {"user": order.user_id, "open": _shard(order), "write_id": write_id}
    return order_key(order.order_id) | wire.item(order.model_dump(exclude_none=True)) | wire.item(keys)


def order_of(item: Item) -> Order:
    """The order of its item."""
    return Order.model_validate(wire.record({name: value for name, value in item.items() if name not in _OF_THE_TABLE}))


def listing_item(order: Order) -> Item:
    """What the lane lists of an order that waits, rests or is in doubt."""
    content: dict[str, Any] = {"order_id": order.order_id}
    if order.listing is Listing.WAITING:
        content["deadline"] = order.deadline
    else:
        content["reduces"] = bool(order.reduces)
    if order.listing is Listing.WORKING:
        if order.live_leg is None:
            raise ValueError(f"order {order.order_id} rests without a leg")
        content["side"] = order.live_leg.side
    return listing_key(order) | wire.item(content)


def lane_view(lane: Lane, items: Iterable[Item]) -> LaneView:
    """The lane of its items, which come sorted by their sort key."""
    own: dict[str, Any] = {}
    waiting: list[Waiting] = []
    working: list[Working] = []
    unknown: list[InDoubt] = []
    for item in items:
        content = wire.record(item)
        match content["sk"].partition("#")[0]:
            case "WAIT":
                waiting.append(Waiting(content["order_id"], _instant(content.get("deadline"))))
            case "WORK":
                working.append(Working(content["order_id"], Side(content["side"]), content["reduces"]))
            case "UNKNOWN":
                unknown.append(InDoubt(content["order_id"], content["reduces"]))
            case _:
                own = content
    return LaneView(
        lane,
        int(own.get("fence", 0)),
        own.get("order_id"),
        _instant(own.get("run_until")),
        {name.removeprefix(_MARK): datetime.fromisoformat(at) for name, at in own.items() if name.startswith(_MARK)},
        tuple(waiting),
        tuple(working),
        tuple(unknown),
        tuple(own.get("recent", ())),
    )


def _lane_pk(lane: Lane) -> str:
    return f"LANE#{lane}"


def _shard(order: Order) -> str | None:
    if order.state.ended and not order.owns_lane and order.listing is Listing.NONE:
        return None
    return SHARDS[crc32(order.order_id.encode()) % len(SHARDS)]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

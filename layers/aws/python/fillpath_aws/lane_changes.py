"""From a change in the orders table's stream to the wake-up that it stands for, under the id that was sent at first."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fillpath.orders.model import Lane

_LANE, _WAIT = "LANE#", "WAIT#"


class WakeUp(NamedTuple):
    """A lane to wake and the id to send it under."""

    lane: Lane
    wake_id: str


def wake_up_for(change: Mapping[str, Any]) -> WakeUp | None:
    """The wake-up for a new waiting order or a lane that lost its owner (`dynamodb` of a stream record); None for all else."""
    new = change.get("NewImage")
    if not new or not new["pk"]["S"].startswith(_LANE):
        return None
    lane = Lane.parse(new["pk"]["S"].removeprefix(_LANE))
    kind = new["sk"]["S"]
    if kind.startswith(_WAIT) and "OldImage" not in change:
        return WakeUp(lane, kind.removeprefix(_WAIT))
    released = kind == "LANE" and "order_id" in change.get("OldImage", {}) and "order_id" not in new
    return WakeUp(lane, f"{lane}#{new['fence']['N']}") if released else None

"""The streamer's frames as typed records: its numbered fields get their names here.

The bars of shares have their fields in the order of the wire, which differs from the one of the printed guide: field 1 is the
minute's number, the prices follow, and the start is field 7.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType, field

from fillpath_brokers.streaming.decoding import Json, reader


class Content(msgspec.Struct):
    """What an answer or a notice says."""

    code: int
    msg: str = ""


class Response(msgspec.Struct):
    """The answer to a command."""

    service: str
    command: str
    content: Content
    requestid: str = ""


class Data(msgspec.Struct):
    """Records of one service; `timestamp` in ms."""

    service: str
    timestamp: int
    content: tuple[msgspec.Raw, ...] = ()


class Notice(msgspec.Struct):
    """A heartbeat, or something that happened to the connection."""

    heartbeat: Any = None
    service: str = ""
    content: Content | None = None


class Message(msgspec.Struct):
    """One frame."""

    response: tuple[Response, ...] = ()
    data: tuple[Data, ...] = ()
    notify: tuple[Notice, ...] = ()


class Level(msgspec.Struct):
    """The best bid and ask; what has not changed is not there. `at` in ms."""

    PARTS: ClassVar[tuple[str, ...]] = ("bid", "ask", "bid_size", "ask_size", "at")

    key: str
    bid: Decimal | UnsetType | None = field(name="1", default=UNSET)
    ask: Decimal | UnsetType | None = field(name="2", default=UNSET)
    bid_size: Decimal | UnsetType | None = field(name="4", default=UNSET)
    ask_size: Decimal | UnsetType | None = field(name="5", default=UNSET)


class FutureLevel(Level):
    """LEVELONE_FUTURES."""

    at: int | UnsetType | None = field(name="10", default=UNSET)


class ShareLevel(Level):
    """LEVELONE_EQUITIES."""

    at: int | UnsetType | None = field(name="34", default=UNSET)


class Candle(msgspec.Struct):
    """A bar of one minute."""

    key: str
    open: Decimal = field(name="2")
    high: Decimal = field(name="3")
    low: Decimal = field(name="4")
    close: Decimal = field(name="5")
    volume: Decimal = field(name="6")


class FutureBar(Candle):
    """CHART_FUTURES; `start` in ms."""

    start: int = field(name="1")


class ShareBar(Candle):
    """CHART_EQUITY; `start` in ms."""

    start: int = field(name="7")


class Activity(msgspec.Struct):
    """ACCT_ACTIVITY: `message` is JSON inside a string, or nothing, or text."""

    seq: int | None = None
    account: str | None = field(name="1", default=None)
    type: str = field(name="2", default="")
    message: Any = field(name="3", default=None)

    @property
    def order_id(self) -> str | None:
        """The order that it is about, as far as that can be read."""
        try:
            document = json.loads(self.message) if isinstance(self.message, str) else self.message
            found = document.get("SchwabOrderID") or document.get("schwabOrderID")
        except (ValueError, AttributeError):
            return None
        return str(found) if found else None


FRAME = reader(Message)
QUOTES: dict[str, Callable[[Json], Level]] = {
    "LEVELONE_EQUITIES": reader(ShareLevel),
    "LEVELONE_FUTURES": reader(FutureLevel),
}
BARS: dict[str, Callable[[Json], ShareBar | FutureBar]] = {
    "CHART_EQUITY": reader(ShareBar),
    "CHART_FUTURES": reader(FutureBar),
}
ACTIVITY = reader(Activity)

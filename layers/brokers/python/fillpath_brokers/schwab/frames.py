"""The streamer's frames as typed records: its numbered fields get their names here.

The bars of shares have their fields in the order of the wire, which differs from the one of the printed guide: field 1 is the
minute's number, the prices follow, and the start is field 7.

A frame is read as a whole, and record by record only if that fails: so one that cannot be read costs no other.
"""

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

import msgspec
from msgspec import UNSET, UnsetType, field

from fillpath_brokers.streaming.decoding import Json, kind_in, reader, unread

ACCOUNT_ACTIVITY = "ACCT_ACTIVITY"
"""The service that tells of orders."""
Record = TypeVar("Record", bound=msgspec.Struct)


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


class _Parts(msgspec.Struct):
    response: tuple[msgspec.Raw, ...] = ()
    data: tuple[msgspec.Raw, ...] = ()
    notify: tuple[msgspec.Raw, ...] = ()


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


FRAME, _PARTS = reader(Message), reader(_Parts)
_RESPONSE, _DATA, _NOTICE = reader(Response), reader(Data), reader(Notice)
_service_of = kind_in("service")
QUOTES: dict[str, Callable[[Json], Level]] = {
    "LEVELONE_EQUITIES": reader(ShareLevel),
    "LEVELONE_FUTURES": reader(FutureLevel),
}
BARS: dict[str, Callable[[Json], ShareBar | FutureBar]] = {
    "CHART_EQUITY": reader(ShareBar),
    "CHART_FUTURES": reader(FutureBar),
}
ACTIVITY = reader(Activity)


def read(frame: Json) -> tuple[Message, bool]:
    """What can be read of a frame, and whether all of it that may be about orders could be. What could not is counted."""
    try:
        return FRAME(frame), True
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _by_records(frame)


def _by_records(frame: Json) -> tuple[Message, bool]:
    try:
        parts = _PARTS(frame)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        unread.count("schwab streamer", exc)
        return Message(), False
    data = [(raw, _record(_DATA, raw)) for raw in parts.data]
    whole = not any(record is None and _may_be_of_orders(raw) for raw, record in data)
    answers = (_record(_RESPONSE, raw) for raw in parts.response)
    notices = (_record(_NOTICE, raw) for raw in parts.notify)
    return Message(_those_of(answers), _those_of(record for _, record in data), _those_of(notices)), whole


def _record(decode: Callable[[Json], Record], raw: msgspec.Raw) -> Record | None:
    try:
        return decode(raw)
    except msgspec.DecodeError as exc:
        unread.count("schwab record", exc)
        return None


def _those_of(records: Iterable[Record | None]) -> tuple[Record, ...]:
    return tuple(record for record in records if record is not None)


def _may_be_of_orders(raw: msgspec.Raw) -> bool:
    try:
        return _service_of(raw) in (None, ACCOUNT_ACTIVITY)
    except msgspec.DecodeError:
        return True

"""What TradeStation's streams have in common, without I/O: bytes of a long answer come in, cut anywhere; messages go to the heir.

A heartbeat comes after 5 s of silence. `GoAway` means: open another stream at once. `DualLogon` means that the same user has
opened his data elsewhere: opening it here again would only take it away there.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from fillpath.errors import BrokerUnavailable
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.streaming.lines import Lines
from fillpath_brokers.streaming.protocol import Action, End, Frame, GiveUp, Reconnect, StreamProtocol

Event = TypeVar("Event")
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
Message = Mapping[str, Any]

_UNAUTHORIZED = 401
_GO_AWAY = "GoAway"
_FINAL = {
    "DualLogon": "the same user has opened this stream elsewhere",
    "BadRequest": "TradeStation refuses what was asked for",
    "Forbidden": "TradeStation does not allow this stream",
    "NotFound": "TradeStation does not know what was asked for",
}


class TradeStationProtocol(StreamProtocol[Event]):
    """One connection. `refused` is set when it did not let the token in. An heir makes events of messages in `_heard`."""

    silence_s = 15.0
    """Three heartbeats. That a line is dead then is inferred."""

    def __init__(self, source: str) -> None:
        self._source = f"tradestation {source}"
        self._lines = Lines()
        self.refused = False

    def opened(self) -> Sequence[Action[Event]]:
        """The address says what is wanted."""
        return ()

    def received(self, frame: Frame, at: datetime) -> Sequence[Action[Event]]:
        """Every message that is complete with these bytes."""
        return [action for value in self._lines.feed(frame) for action in self._one(value, at)]

    def ended(self, end: End, times: int, /) -> Reconnect | GiveUp:
        """A refused token is told to whoever opens the next connection."""
        if end.status == _UNAUTHORIZED:
            self.refused = True
            return Reconnect("TradeStation refuses the token")
        return super().ended(end, times)

    @abstractmethod
    def _heard(self, message: Message, at: datetime) -> Sequence[Action[Event]]: ...

    def _one(self, value: bytes | str, at: datetime) -> Sequence[Action[Event]]:
        if isinstance(value, str):
            return self._word(value)
        try:
            message = _decode(value)
            if "Heartbeat" in message:
                return ()
            return self._control(message) or self._heard(message, at)
        except (BrokerUnavailable, msgspec.DecodeError, KeyError, IndexError, TypeError, ValueError, ArithmeticError) as exc:
            unread.count(self._source, exc)
            return ()

    def _word(self, word: str) -> Sequence[Action[Event]]:
        """Streams of the former version ended with a bare word."""
        if word == "END" or word.startswith("ERROR"):
            return [Reconnect(f"{self._source} says {word[:60]}")]
        unread.count(f"{self._source} word", "not JSON")
        return ()

    def _control(self, message: Message) -> Sequence[Action[Event]]:
        error, status = message.get("Error"), message.get("StreamStatus")
        if _GO_AWAY in (error, status):
            return [Reconnect(f"{self._source} is moving", planned=True)]
        if not error or "Symbol" in message:
            return ()
        text = f"{error}: {message.get('Message', '')}"
        return [GiveUp(f"{_FINAL[error]} ({text})") if error in _FINAL else Reconnect(f"{self._source}: {text}")]

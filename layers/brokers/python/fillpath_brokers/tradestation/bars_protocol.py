"""TradeStation's bar stream without I/O: the minute bars of one symbol come in, the running one again and again; bars go out.

It labels a bar by its close; here its start counts. A running bar is not final; `Closed` is. A symbol that it does not know, or
that the user may not see, is answered with a refusal of the request, or with `Failed`.
"""

from collections.abc import Sequence
from datetime import datetime

from fillpath.market.bars import Interval
from fillpath_brokers.documents import moment
from fillpath_brokers.facade import MarketEvent
from fillpath_brokers.streaming.protocol import Action, End, GiveUp, Heard, Ready, Reconnect
from fillpath_brokers.tradestation.history import bar_of
from fillpath_brokers.tradestation.stream_protocol import Message, TradeStationProtocol
from fillpath_brokers.tradestation.symbols import shown

_FAILED = "FAILED"
_BAD_REQUEST = 400


class BarsProtocol(TradeStationProtocol[MarketEvent]):
    """For one symbol of TradeStation's spelling."""

    def __init__(self, symbol: str) -> None:
        super().__init__("bar stream")
        self._symbol = shown(symbol)

    def opened(self) -> Sequence[Action[MarketEvent]]:
        """Nothing marks the end of the first message."""
        return [Ready()]

    def ended(self, end: End, times: int, /) -> Reconnect | GiveUp:
        """The address has nothing but the symbol that could be wrong."""
        if end.status == _BAD_REQUEST:
            return GiveUp(f"TradeStation gives no bars of {self._symbol}: {_BAD_REQUEST}")
        return super().ended(end, times)

    def _control(self, message: Message) -> Sequence[Action[MarketEvent]]:
        error = str(message.get("Error") or "")
        if error.upper().startswith(_FAILED):
            return [GiveUp(f"TradeStation gives no bars of {self._symbol}: {message.get('Message') or error}")]
        return super()._control(message)

    def _heard(self, message: Message, at: datetime) -> Sequence[Action[MarketEvent]]:
        if "TimeStamp" not in message:
            return ()
        start = moment(message["TimeStamp"]) - Interval.MINUTE.duration
        return [Heard(bar_of(message, self._symbol, start))]

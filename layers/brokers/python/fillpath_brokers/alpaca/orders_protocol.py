"""Alpaca's trade_updates stream without I/O: frames (text, or binary that holds text) come in, order updates go out.

Alpaca repeats nothing: after a reconnect the orders must be read again. Events that change no order (a refused cancellation or
replacement) still carry the order as it is, and are passed on like any other. A replaced order has not ended: it is told under
the id of its successor, which takes its place.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus, Side
from fillpath.orders.outcomes import LegView
from fillpath_brokers.alpaca.wire import Document, own_view
from fillpath_brokers.facade import OrderUpdate
from fillpath_brokers.streaming.decoding import Decoder, kind_in, unread
from fillpath_brokers.streaming.protocol import Action, Frame, GiveUp, Heard, Ping, Ready, Send, StreamProtocol


class _Told(msgspec.Struct):
    data: dict[str, Any]


class _Authorization(_Told):
    pass


class _Listening(_Told):
    pass


class _Update(_Told):
    pass


_SOURCE = "alpaca orders"
_DECODER: Decoder[_Told] = Decoder(
    _SOURCE, kind_in("stream"), {"authorization": _Authorization, "listening": _Listening, "trade_updates": _Update}
)


class OrdersProtocol(StreamProtocol[OrderUpdate]):
    """One connection: authenticate, listen, hear. Nothing comes while nobody trades, so that silence is judged by pings."""

    silence_s = 30.0
    beat_s = 10.0

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self._credentials = credentials

    def opened(self) -> Sequence[Action[OrderUpdate]]:
        """Sign in."""
        keys = {"key": self._credentials["key_id"], "secret": self._credentials["secret_key"]}
        return [_send({"action": "auth", **keys})]

    def received(self, frame: Frame, at: datetime) -> Sequence[Action[OrderUpdate]]:
        """The next step of signing in, or an update."""
        match _DECODER.one(frame):
            case _Authorization(data=data):
                return self._authorized(data)
            case _Listening():
                return [Ready()]
            case _Update(data=data):
                return _heard(data)
        return ()

    def beat(self) -> Sequence[Action[OrderUpdate]]:
        """Is the other side still there?"""
        return [Ping()]

    def _authorized(self, data: Mapping[str, Any]) -> Sequence[Action[OrderUpdate]]:
        if data.get("status") == "authorized":
            return [_send({"action": "listen", "data": {"streams": ["trade_updates"]}})]
        return [GiveUp("Alpaca refuses the keys for its order stream", needs_reauth=True)]


def _heard(data: Mapping[str, Any]) -> Sequence[Action[OrderUpdate]]:
    try:
        order = data["order"]
        return [Heard(OrderUpdate(order["client_order_id"], order["symbol"], Side(order["side"]), _view(order)))]
    except (KeyError, ValueError, TypeError, BrokerUnavailable) as exc:
        unread.count(f"{_SOURCE} trade_updates", type(exc).__name__)
        return ()


def _view(order: Document) -> LegView:
    """Of a replaced order only who has taken its place: what filled of it was told before, and its successor tells the rest."""
    successor = order.get("replaced_by")
    if order["status"] == "replaced" and successor:
        return LegView(LegStatus.WORKING, broker_order_id=str(successor))
    return own_view(order)


def _send(message: Mapping[str, Any]) -> Send:
    return Send(msgspec.json.encode(message).decode())

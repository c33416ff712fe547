"""A recorded byte stream fed to a protocol again gives the same events, however it is cut."""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from fillpath.market.bars import Trade
from fillpath_brokers.streaming.decoding import Decoder, Unread, kind_in
from fillpath_brokers.streaming.lines import Lines
from fillpath_brokers.streaming.protocol import Action, Frame, GiveUp, Heard, Ready, StreamProtocol

AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
RECORDED = (
    b'{"kind":"start"}\r\n'
    b'{"kind":"trade","symbol":"@ES","price":5000.25,"size":"2"}\r\n'
    b'{"kind":"trade","symbol":"\xe2\x82\xac{\\"}","price":"0.1","size":1}{"kind":"heartbeat"}\r\n'
    b'{"kind":"trade","symbol":"@NQ","price":null,"size":1}\r\n'
    b'{"kind":"trade","symbol":"@NQ","price":17000.5,"size":3}\r\n'
    b'{"kind":"trade","symbol":"@N\r\n'
    b"\r\n"
    b"END\r\n"
)


class Print(msgspec.Struct):
    symbol: str
    price: Decimal
    size: Decimal


class Start(msgspec.Struct):
    pass


class Tape(StreamProtocol[Trade]):
    """A small protocol over a chunked stream."""

    silence_s = 15.0

    def __init__(self) -> None:
        self.unread = Unread()
        self._lines = Lines()
        self._decoder: Decoder[Print | Start] = Decoder(
            "tape", kind_in("kind"), {"start": Start, "trade": Print, "heartbeat": None}, self.unread
        )

    def opened(self) -> Sequence[Action[Trade]]:
        return ()

    def received(self, frame: Frame, at: datetime) -> Sequence[Action[Trade]]:
        return [action for found in self._lines.feed(frame) for action in self._one(found, at)]

    def _one(self, found: bytes | str, at: datetime) -> Iterable[Action[Trade]]:
        if isinstance(found, str):
            return [GiveUp("the stream was ended")] if found == "END" else []
        match self._decoder.one(found):
            case Start():
                return [Ready()]
            case Print(symbol, price, size):
                return [Heard(Trade(symbol, at, at, price, size))]
        return []


def replayed(chunks: Iterable[bytes]) -> tuple[list[Action[Trade]], dict[str, int]]:
    tape = Tape()
    actions = [action for chunk in chunks for action in tape.received(chunk, AT)]
    return actions, dict(tape.unread)


def chunked(seed: int) -> Iterable[bytes]:
    dice, at = random.Random(seed), 0
    while at < len(RECORDED):
        size = dice.choice([1, 2, 3, 17, 80])
        yield RECORDED[at : at + size]
        at += size


def test_a_recording_gives_the_same_events_however_it_is_cut() -> None:
    actions, unread = replayed([RECORDED])
    assert actions == [
        Ready(),
        Heard(Trade("@ES", AT, AT, Decimal("5000.25"), Decimal(2))),
        Heard(Trade('\u20ac{"}', AT, AT, Decimal("0.1"), Decimal(1))),
        Heard(Trade("@NQ", AT, AT, Decimal("17000.5"), Decimal(3))),
        GiveUp("the stream was ended"),
    ]
    assert unread == {"tape trade": 1}
    assert all(replayed(chunked(seed)) == (actions, unread) for seed in range(200))


def test_only_the_time_of_arrival_comes_from_outside() -> None:
    later = AT + timedelta(hours=1)
    heard = [action.event for action in Tape().received(RECORDED, later) if isinstance(action, Heard)]
    assert {trade.received_at for trade in heard} == {later}

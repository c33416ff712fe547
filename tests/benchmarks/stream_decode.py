"""stream-decode: what a market data message costs from bytes to our type, as frames of WebSockets and as lines of a long GET."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from fillpath.market.bars import Trade
from fillpath_brokers.facade import Feed
from fillpath_brokers.schwab.stream_protocol import StreamerProtocol, Who
from fillpath_brokers.streaming.decoding import Decoder, kind_in
from fillpath_brokers.streaming.lines import Lines
from fillpath_brokers.streaming.protocol import Heard, StreamProtocol
from fillpath_brokers.tradovate.data_protocol import DataProtocol
from fillpath_brokers.tradovate.frames import messages_in
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.streams import DataDoor
from tests.benchmarks.figures import figures, percentile

MESSAGE = b'{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"}'
TRADOVATE = (
    '{"e":"md","d":{"quotes":[{"timestamp":"2026-11-25T15:04:05.588Z","contractId":560901,'
    '"entries":{"Bid":{"price":5000.25,"size":7},"Offer":{"price":5000.5,"size":12}}}]}}'
)
SCHWAB = '{"key":"/ES","1":5536.5,"2":5537,"4":61,"5":112,"10":1719002950099}'
SCHWAB_HEADER = '{"service":"LEVELONE_FUTURES","timestamp":1719002950099,"command":"SUBS","content":'
PER_FRAME = 10
MESSAGES = 10_000
CHUNK = 1400
AT = datetime(2021, 2, 22, 15, 51, 44, tzinfo=UTC)


class _Trade(msgspec.Struct):
    S: str
    p: Decimal
    s: Decimal
    t: datetime
    i: int
    c: tuple[str, ...]


def run(n: int = 40) -> dict[str, Any]:
    """`n` rounds of 10,000 messages each: CPU time of a round of frames, and messages per second of it, median and tail."""
    frames = [b"[" + b",".join([MESSAGE] * PER_FRAME) + b"]"] * (MESSAGES // PER_FRAME)
    stream = (MESSAGE + b"\r\n") * MESSAGES
    chunks = [stream[at : at + CHUNK] for at in range(0, len(stream), CHUNK)]
    glued = [chunk.replace(b"\r\n", b"") for chunk in chunks]
    decoder: Decoder[_Trade] = Decoder("alpaca data", kind_in("T"), {"t": _Trade})

    def decode() -> int:
        return sum(len(decoder.every(frame)) for frame in frames)

    def decode_into_trades() -> int:
        return sum(len([_trade(message) for message in decoder.every(frame)]) for frame in frames)

    def split(pieces: list[bytes]) -> int:
        lines = Lines()
        return sum(len(lines.feed(piece)) for piece in pieces)

    def split_and_decode() -> int:
        lines = Lines()
        return sum(decoder.one(line) is not None for chunk in chunks for line in lines.feed(chunk))

    rates = {
        "frames": _rates(decode, n),
        "frames_to_trades": _rates(decode_into_trades, n),
        "lines_split": _rates(lambda: split(chunks), n),
        "lines_split_and_decoded": _rates(split_and_decode, n),
        "objects_without_line_ends_split": _rates(lambda: split(glued), n),
        **_of_venues(n),
    }
    return figures("stream-decode", rates["frames"][1], **{f"{name}_per_s": told for name, (told, _) in rates.items()})


def _of_venues(n: int) -> dict[str, tuple[str, list[float]]]:
    """Frames in which a venue packs several messages: Tradovate's as messages and as quotes, Schwab's as quotes."""
    tradovate = ["a[" + ",".join([TRADOVATE] * PER_FRAME) + "]"] * (MESSAGES // PER_FRAME)
    schwab = [f'{{"data":[{SCHWAB_HEADER}[{",".join([SCHWAB] * PER_FRAME)}]}}]}}'] * (MESSAGES // PER_FRAME)
    alone = [f'{{"data":[{SCHWAB_HEADER}[{SCHWAB}]}}]}}'] * MESSAGES
    quotes = DataProtocol("t", Feed.QUOTES, ["ESZ6"], {"ESZ6": 560901}, Settings.of({}), DataDoor())
    streamer = StreamerProtocol(Who("c", "i", "h", "f", "t"), [])
    return {
        "tradovate_frames": _rates(lambda: sum(len(messages_in(frame) or ()) for frame in tradovate), n),
        "tradovate_frames_to_quotes": _rates(lambda: _heard(quotes, tradovate), n),
        "schwab_frames_to_quotes": _rates(lambda: _heard(streamer, schwab), n),
        "schwab_frames_of_one_to_quotes": _rates(lambda: _heard(streamer, alone), n),
    }


def _heard(protocol: StreamProtocol[Any], frames: list[str]) -> int:
    return sum(isinstance(action, Heard) for frame in frames for action in protocol.received(frame, AT))


def _trade(message: _Trade) -> Trade:
    return Trade(message.S, message.t, AT, message.p, message.s, str(message.i), message.c)


def _rates(round_: Callable[[], int], n: int) -> tuple[str, list[float]]:
    times: list[float] = []
    for _ in range(n):
        before = time.process_time()
        done = round_()
        times.append(time.process_time() - before)
        if done != MESSAGES:
            raise RuntimeError(f"{done} of {MESSAGES} messages were read")
    median, slow = MESSAGES / statistics.median(times), MESSAGES / percentile(times, 99)
    return f"median {median:,.0f}, p99 {slow:,.0f}", [seconds * 1000 for seconds in times]

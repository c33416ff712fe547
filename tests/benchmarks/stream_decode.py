"""stream-decode: what a market data message costs from bytes to our type, as frames of a WebSocket and as lines of a long GET."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from fillpath.market.bars import Trade
from fillpath_brokers.streaming.decoding import Decoder, kind_in
from fillpath_brokers.streaming.lines import Lines
from tests.benchmarks.figures import figures, percentile

MESSAGE = b'{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"}'
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
    }
    return figures("stream-decode", rates["frames"][1], **{f"{name}_per_s": told for name, (told, _) in rates.items()})


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

"""The samples in events/brokers/schwab: each is read by the part of the adapter that it is for."""

from collections.abc import Callable
from typing import Any

import pytest

from fillpath_brokers.schwab.frames import FRAME
from fillpath_brokers.schwab.holdings import balances, positions
from fillpath_brokers.schwab.refusals import read
from fillpath_brokers.schwab.stream_protocol import StreamerProtocol
from fillpath_brokers.schwab.wire import entered_at, side_of, singles, view_of, working_order
from fillpath_brokers.web import Reply
from tests.brokers.schwab.site import EVENTS, raw, sample
from tests.brokers.schwab.test_streamer import AT, MARKET, WHO, recorded


def orders(name: str) -> list[Any]:
    shown = list(singles([sample(name)]))
    return [(entered_at(each), side_of(each), working_order(each, "AAPL", view_of(each))) for each in shown]


def holdings(name: str) -> Any:
    account = sample(name)["securitiesAccount"]
    return positions(account), balances(account)


PARSERS: dict[str, Callable[[str], Any]] = {
    "account_numbers": lambda name: [each["hashValue"] for each in sample(name)],
    "account_": holdings,
    "bracket_": orders,
    "fault_": lambda name: read(Reply(502, {}, raw(name))).code,
    "oco_": orders,
    "order_": orders,
    "pricehistory": lambda name: "candles" in sample(name),
    "quotes": lambda name: sample(name)["errors"]["invalidSymbols"],
    "refusal_": lambda name: read(Reply(400, {}, raw(name))).text,
    "token": lambda name: sample(name)["access_token"],
    "user_preference": lambda name: sample(name)["streamerInfo"][0]["streamerSocketUrl"],
}


@pytest.mark.parametrize("name", sorted(each.stem for each in EVENTS.glob("*.json")))
def test_every_sample_is_understood(name: str) -> None:
    kind = max((each for each in PARSERS if name.startswith(each)), key=len)
    assert PARSERS[kind](name)


@pytest.mark.parametrize("name", sorted(each.stem for each in (EVENTS / "streams").glob("*.jsonl")))
def test_every_recording_is_made_of_frames_and_replays_alike(name: str) -> None:
    frames = recorded(name)
    assert all(FRAME(frame) for frame in frames)
    runs = []
    for _ in range(2):
        protocol = StreamerProtocol(WHO, MARKET)
        runs.append([protocol.opened(), *(protocol.received(frame, AT) for frame in frames)])
    assert runs[0] == runs[1]

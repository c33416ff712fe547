"""Bars over a short-lived market data socket: paging, deadlines, licences."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.accounts.access import Access, Token
from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent, Unsupported
from fillpath.market.bars import Bar, Interval
from fillpath_brokers.tradovate.history import MarketReader, data_token, stamp
from fillpath_brokers.tradovate.market_socket import Line
from fillpath_brokers.tradovate.settings import Settings
from tests.brokers.tradovate.house import FakeLine, Stopwatch, market, sample
from tests.fakes.clock import FakeClock

START = datetime(2026, 3, 2, 14, tzinfo=UTC)
ACCESS = Access({}, Token("token-1", START + timedelta(hours=1), extra={"md_access_token": "md-1"}))
IN = ["o", 'a[{"s":200,"i":0}]']


def row(minute: int, **more: Any) -> dict[str, Any]:
    at = stamp(START + timedelta(minutes=minute))
    return {"timestamp": at, "open": 1.25, "high": 2.5, "low": 1.0, "close": 2.25, "upVolume": 3, "downVolume": 4, **more}


def answered(document: Any, number: int = 1, status: int = 200) -> str:
    return "a" + json.dumps([{"s": status, "i": number, "d": document}], default=float)


def chart(number: int, rows: list[dict[str, Any]] | None = None) -> str:
    content = {"id": number, "eoh": True} if rows is None else {"id": number, "td": 20260302, "bars": rows}
    return "a" + json.dumps([{"e": "chart", "d": {"charts": [content]}}])


class PagingLine(FakeLine):
    """Has a bar for each of these minutes, and gives `most` at a time, the newest of those that are asked for."""

    def __init__(self, minutes: range, most: int) -> None:
        super().__init__(*IN)
        self.minutes = minutes
        self.most = most
        self.charts = 0
        self.cancelled: list[int] = []

    def send(self, message: str) -> None:
        super().send(message)
        if message == "[]" or message.startswith("authorize"):
            return
        endpoint, number, _, body = message.split("\n", 3)
        asked = json.loads(body)
        if endpoint == "md/cancelChart":
            self.cancelled.append(asked["subscriptionId"])
            self.frames.append(answered({}, int(number)))
            return
        self.charts += 10
        until = datetime.fromisoformat(asked["timeRange"]["closestTimestamp"])
        known = [minute for minute in self.minutes if START + timedelta(minutes=minute) <= until]
        rows = [row(minute) for minute in known[-self.most :]]
        self.frames += [
            answered({"historicalId": self.charts, "realtimeId": self.charts + 1}, int(number)),
            chart(self.charts + 1, [row(999)]),
            chart(self.charts, rows[1:]),
            "h",
            chart(self.charts, rows[:1]),
            chart(self.charts),
        ]


def bars(line: Line, end: int = 10, interval: Interval = Interval.MINUTE, **settings: Any) -> list[Bar]:
    reader = market(line, **settings)
    return reader.bars("ESH6", "ESH6", (START, START + timedelta(minutes=end)), interval, ACCESS)


def test_a_bar_is_read_with_both_parts_of_its_volume() -> None:
    [first, *_] = bars(PagingLine(range(11), 100))
    assert first == Bar("ESH6", START, Decimal("1.25"), Decimal("2.5"), Decimal("1.0"), Decimal("2.25"), Decimal(7))


@pytest.mark.parametrize("most", [2, 3, 5, 100])
def test_pages_are_read_back_until_the_start_is_reached(most: int) -> None:
    line = PagingLine(range(-50, 60), most)
    assert [bar.start for bar in bars(line)] == [START + timedelta(minutes=minute) for minute in range(10)]
    assert line.cancelled == [number + 1 for number in range(10, line.charts + 1, 10)]


def test_where_nothing_older_comes_it_ends() -> None:
    assert [bar.start.minute for bar in bars(PagingLine(range(4, 60), 3))] == [4, 5, 6, 7, 8, 9]
    assert bars(PagingLine(range(0), 3)) == []


def test_what_is_asked_for() -> None:
    line = PagingLine(range(11), 100)
    bars(line, interval=Interval.QUARTER_HOUR, page=500)
    authorized, asked = line.asked()[:2]
    assert authorized == ("authorize", "md-1")
    assert asked == (
        "md/getChart",
        {
            "symbol": "ESH6",
            "chartDescription": {
                "underlyingType": "MinuteBar",
                "elementSize": 15,
                "elementSizeUnit": "UnderlyingUnits",
                "withHistogram": False,
            },
            "timeRange": {"closestTimestamp": "2026-03-02T14:10:00.000Z", "asMuchAsElements": 500},
        },
    )


@pytest.mark.parametrize(
    ("interval", "kind", "size"),
    [(Interval.MINUTE, "MinuteBar", 1), (Interval.HOUR, "MinuteBar", 60), (Interval.DAY, "DailyBar", 1)],
)
def test_each_interval_has_its_chart(interval: Interval, kind: str, size: int) -> None:
    line = PagingLine(range(11), 100)
    bars(line, interval=interval)
    description = line.asked()[1][1]["chartDescription"]
    assert (description["underlyingType"], description["elementSize"]) == (kind, size)


def test_the_bar_that_is_still_running_is_not_final() -> None:
    clock = FakeClock(START + timedelta(minutes=9, seconds=30))
    found = market(PagingLine(range(11), 100), clock).bars(
        "ESH6", "ESH6", (START, START + timedelta(minutes=10)), Interval.MINUTE, ACCESS
    )
    assert [bar.final for bar in found] == [True] * 9 + [False]


def test_whether_bars_are_labelled_by_their_end_is_a_setting() -> None:
    assert [bar.start.minute for bar in bars(PagingLine(range(8), 100), bar_label="end")] == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "frames",
    [
        ["o", 'a[{"s":401,"i":0,"d":"Access is denied"}]'],
        [*IN, answered(sample("no_market_data"))],
        [*IN, answered("Not entitled for ESH6", status=403)],
    ],
)
def test_without_a_licence_it_is_unsupported_and_says_that_trading_works(frames: list[str]) -> None:
    with pytest.raises(Unsupported, match=r"licence.*trading works without it"):
        bars(FakeLine(*frames))


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ([*IN, answered("Internal error", status=500)], "Internal error"),
        ([*IN, answered({"errorText": "Symbol is inaccessible", "errorCode": "UnknownSymbol"})], "inaccessible"),
        ([*IN, 'c[3000,"Go away!"]'], "closed"),
        (IN, "did not come in time"),
        (["h"], "did not come in time"),
        ([*IN, answered({"historicalId": 1, "realtimeId": 2}), chart(1, [{"timestamp": "x"}])], "cannot be read"),
    ],
)
def test_what_goes_wrong_is_no_answer(frames: list[str], text: str) -> None:
    with pytest.raises(BrokerUnavailable, match=text):
        bars(FakeLine(*frames))


@pytest.mark.parametrize(
    ("frame", "delay_s"),
    [(answered(sample("penalty")), 15), (answered(None, status=429), 3600), (answered(sample("penalty_captcha")), 3600)],
)
def test_penalties_and_lock_outs_say_for_how_long(frame: str, delay_s: float) -> None:
    with pytest.raises(NotSent) as told:
        bars(FakeLine(*IN, frame))
    assert told.value.delay_s == delay_s


def test_it_beats_while_it_waits() -> None:
    line = FakeLine(*IN)
    reader = market(line, watch=Stopwatch(0.5))
    with pytest.raises(BrokerUnavailable):
        reader.bars("ESH6", "ESH6", (START, START + timedelta(minutes=1)), Interval.MINUTE, ACCESS)
    assert line.sent.count("[]") >= 3


def test_the_last_price_is_that_of_the_first_quote_with_a_trade() -> None:
    quote = "a" + json.dumps([{"e": "md", "d": sample("quote")}], default=float)
    bare = 'a[{"e":"md","d":{"quotes":[{"timestamp":"2026-11-25T15:04:05Z","contractId":1,"entries":{"Bid":{"price":1}}}]}}]'
    assert market(FakeLine(*IN, answered({}), bare, quote)).last_price("ESH6", ACCESS, 2) == Decimal("5000.5")
    assert market(FakeLine(*IN, answered({}), bare)).last_price("ESH6", ACCESS, 0.1) is None
    assert market(FakeLine("o", 'a[{"s":401,"i":0}]')).last_price("ESH6", ACCESS, 2) is None


def test_an_unreachable_socket_gives_no_price_and_no_bars() -> None:
    @contextmanager
    def nowhere(_url: str, _within_s: float) -> Iterator[Line]:
        raise NotSent("not reached")
        yield

    reader = MarketReader(Settings.of({}), FakeClock(), nowhere, Stopwatch())
    assert reader.last_price("ESH6", ACCESS, 2) is None
    with pytest.raises(NotSent):
        reader.bars("ESH6", "ESH6", (START, START + timedelta(minutes=1)), Interval.MINUTE, ACCESS)


def test_the_market_data_token_signs_in_and_without_one_the_account_s_does() -> None:
    assert data_token(ACCESS) == "md-1"
    assert data_token(Access({}, Token("token-1", START))) == "token-1"
    with pytest.raises(NeedsReauth):
        data_token(Access({}))

"""Schwab's bars: windows of ten days, half hours made hours, nothing of futures."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.market.bars import Interval
from tests.brokers.schwab.site import Bench, answers, dumped

PATH = "GET /marketdata/v1/pricehistory"
START = datetime(2026, 11, 25, 15, 51, tzinfo=UTC)


def query(request: httpx.Request) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(str(request.url)).query).items()}


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def made(step: timedelta) -> Any:
    """Bars of this length, in the whole window, both of its ends included."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked, seconds = query(request), int(step.total_seconds())
        first, last = int(asked["startDate"]) // 1000, int(asked["endDate"]) // 1000
        at = range(-(-first // seconds) * seconds, last + 1, seconds)
        candles = [{"open": 1, "high": 3, "low": 0.5, "close": 2, "volume": 10, "datetime": second * 1000} for second in at]
        return dumped({"symbol": "AAPL", "empty": False, "candles": candles})

    return answer


def test_bars_are_exact_and_labelled_by_their_start() -> None:
    at = Bench({PATH: answers("pricehistory")})
    start = datetime.fromtimestamp(1764085860, UTC)
    history = at.broker.history("AAPL", start, start + timedelta(minutes=2), Interval.MINUTE)
    first, second = history.bars
    assert (first.symbol, first.start, first.open, first.close, first.volume) == ("AAPL", start, 229, Decimal("229.05"), 52310)
    assert second.close == Decimal("229.185")
    assert history.gaps == ()


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval.MINUTE, {"periodType": "day", "frequencyType": "minute", "frequency": "1"}),
        (Interval.FIVE_MINUTES, {"periodType": "day", "frequencyType": "minute", "frequency": "5"}),
        (Interval.QUARTER_HOUR, {"periodType": "day", "frequencyType": "minute", "frequency": "15"}),
        (Interval.HOUR, {"periodType": "day", "frequencyType": "minute", "frequency": "30"}),
        (Interval.DAY, {"periodType": "year", "frequencyType": "daily", "frequency": "1"}),
    ],
)
def test_each_interval_is_asked_for_as_schwab_has_it(interval: Interval, expected: dict[str, str]) -> None:
    at = Bench({PATH: answers("pricehistory_empty")})
    assert at.broker.history("AAPL", START - timedelta(days=2), START, interval).bars == ()
    [request] = at.site.requests
    asked = query(request)
    assert expected.items() <= asked.items()
    assert (asked["symbol"], asked["needExtendedHoursData"]) == ("AAPL", "false")


def test_a_long_stretch_is_read_in_windows_without_doubles() -> None:
    at = Bench({PATH: made(timedelta(minutes=15))}, extended_hours_data="true")
    start = START - timedelta(days=25)
    history = at.broker.history("AAPL", start, START, Interval.QUARTER_HOUR)
    windows = [(int(query(each)["startDate"]), int(query(each)["endDate"])) for each in at.site.requests]
    assert [end - begin for begin, end in windows] == [10 * 86_400_000, 10 * 86_400_000, 5 * 86_400_000]
    assert (windows[0][0], windows[-1][1]) == (ms(start), ms(START))
    starts = [bar.start for bar in history.bars]
    assert starts == sorted(set(starts))
    assert len(starts) == 25 * 96
    assert query(at.site.requests[0])["needExtendedHoursData"] == "true"


def test_an_hour_is_made_of_two_whole_halves() -> None:
    at = Bench({PATH: made(timedelta(minutes=30))})
    start = datetime(2026, 11, 25, 15, tzinfo=UTC)
    history = at.broker.history("AAPL", start, start + timedelta(minutes=90), Interval.HOUR)
    assert [bar.start.hour for bar in history.bars] == [15, 16]
    assert {(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in history.bars} == {(1, 3, Decimal("0.5"), 2, 20)}


def test_missing_minutes_are_told() -> None:
    at = Bench({PATH: made(timedelta(minutes=5))})
    history = at.broker.history("AAPL", START + timedelta(minutes=4), START + timedelta(minutes=10), Interval.MINUTE)
    assert [(gap.since.minute, gap.until.minute) for gap in history.gaps] == [(56, 0)]


@pytest.mark.parametrize("symbol", ["ES", "ESZ6"])
def test_futures_have_no_history_and_the_text_says_where_bars_are(symbol: str) -> None:
    at = Bench()
    with pytest.raises(Unsupported, match="stream"):
        at.broker.history(symbol, START - timedelta(days=1), START, Interval.MINUTE)
    assert at.site.requests == []


@pytest.mark.parametrize(
    "answer", [answers("refusal_market_data", 400), httpx.Response(404), httpx.Response(200, json={"candles": [{"open": 1}]})]
)
def test_what_cannot_be_read_is_told(answer: httpx.Response) -> None:
    with pytest.raises(BrokerUnavailable, match="AAPL"):
        Bench({PATH: answer}).broker.history("AAPL", START - timedelta(hours=1), START, Interval.MINUTE)

"""TradeStation's bars: asked for page by page, labelled by their close there and by their start here."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.market.bars import Gap, Interval
from fillpath_brokers.tradestation.history import MOST_BARS, bars_of, pages
from tests.brokers.tradestation.rig import NOW, Rig, sample

NEW_YORK = ZoneInfo("America/New_York")
ES, AAPL = "/v3/marketdata/barcharts/ESZ26", "/v3/marketdata/barcharts/AAPL"


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 25, hour, minute, tzinfo=UTC)


def test_the_last_bar_of_a_session_begins_where_the_one_before_it_ended() -> None:
    bars = list(bars_of(sample("bars_hours_of_a_share")["Bars"], "AAPL", Interval.HOUR, NEW_YORK))
    assert [bar.start for bar in bars] == [at(18, 30), at(19, 30), at(20, 30)]


def test_a_day_begins_at_midnight_of_its_exchange() -> None:
    bars = list(bars_of(sample("bars_days")["Bars"], "AAPL", Interval.DAY, NEW_YORK))
    assert [bar.start for bar in bars] == [datetime(2026, 11, day, 5, tzinfo=UTC) for day in (24, 25)]


def test_a_missing_minute_moves_no_other() -> None:
    rows = [row | {"TimeStamp": f"2026-11-25T15:0{minute}:00Z"} for minute, row in zip((4, 7), [_row()] * 2, strict=True)]
    assert [bar.start for bar in bars_of(rows, "ESZ6", Interval.MINUTE, NEW_YORK)] == [at(15, 3), at(15, 6)]


def test_bars_are_read_with_what_is_missing_between_them() -> None:
    rig = Rig()
    rows = [_row() | {"TimeStamp": f"2026-11-25T14:{minute}:00Z"} for minute in (31, 32, 34)]
    rig.answers("GET", ES, {"Bars": rows})
    history = rig.broker.history("ESZ6", at(14, 30), at(14, 34), Interval.MINUTE)
    assert [(bar.symbol, bar.start) for bar in history.bars] == [("ESZ6", at(14, 30 + minute)) for minute in (0, 1, 3)]
    assert history.gaps == (Gap(at(14, 32), at(14, 33)),)
    query = rig.asked[0].url.params
    assert (query["unit"], query["interval"], query["firstdate"]) == ("Minute", "1", "2026-11-25T14:29:00Z")


def test_the_future_is_not_asked_for_and_a_running_bar_is_not_final() -> None:
    rig = Rig()
    rig.answers("GET", ES, sample("bars_minutes_with_a_running_one"))
    history = rig.broker.history("ESZ6", at(15, 3), at(18), Interval.MINUTE)
    assert [bar.final for bar in history.bars] == [True, False]
    assert history.gaps == ()
    assert rig.asked[0].url.params["lastdate"] <= f"{NOW + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"


def test_a_root_means_its_continuous_contract() -> None:
    rig = Rig()
    rig.answers("GET", "/v3/marketdata/barcharts/@ES", {"Bars": [_row()]})
    [bar] = rig.broker.history("ES", at(15), at(15, 4), Interval.MINUTE).bars
    assert bar.symbol == "ES"


@pytest.mark.parametrize("answer", [sample("bars_not_entitled"), (404, {"Error": "NotFound", "Message": "Invalid symbol."})])
def test_a_symbol_without_data_is_unsupported(answer: Any) -> None:
    rig = Rig()
    rig.answers("GET", AAPL, answer)
    with pytest.raises(Unsupported):
        rig.broker.history("AAPL", at(14), at(15), Interval.HOUR)


@pytest.mark.parametrize("answer", [(500, {}), (200, "no json"), {"Bars": None}])
def test_what_cannot_be_read_is_no_answer(answer: Any) -> None:
    rig = Rig()
    rig.answers("GET", AAPL, answer)
    with pytest.raises(BrokerUnavailable):
        rig.broker.history("AAPL", at(14), at(15), Interval.HOUR)


@given(st.integers(0, 400_000), st.sampled_from([each for each in Interval if each is not Interval.DAY]))
def test_pages_cover_everything_and_none_is_too_large(minutes: int, interval: Interval) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    end = start + timedelta(minutes=minutes)
    found = list(pages(start, end, interval))
    assert found[0][0] <= start - interval.duration
    assert found[-1][1] >= end + interval.duration
    assert all((last - first) / interval.duration + 1 <= MOST_BARS for first, last in found)
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_a_year_of_minutes_is_asked_for_page_by_page_without_doubles() -> None:
    rig = Rig()
    rig.answers("GET", ES, {"Bars": [_row()]})
    history = rig.broker.history("ESZ6", NOW - timedelta(days=100), NOW, Interval.MINUTE)
    assert len(rig.asked) == 3
    assert len(history.bars) == 1


def _row() -> dict[str, Any]:
    row: dict[str, Any] = sample("bars_minutes_with_a_running_one")["Bars"][0]
    return row

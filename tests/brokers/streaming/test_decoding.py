"""From JSON to a venue's types, with what does not fit counted and never fatal."""

import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import msgspec
import pytest

from fillpath_brokers.streaming.decoding import Decoder, Unread, kind_in


class Trade(msgspec.Struct):
    S: str
    p: Decimal
    t: datetime | None = None
    side: Literal["buy", "sell"] = "buy"


class Failure(msgspec.Struct):
    code: int


@pytest.fixture
def counts() -> Unread:
    return Unread()


@pytest.fixture
def decoder(counts: Unread) -> Decoder[Trade | Failure]:
    return Decoder("alpaca data", kind_in("T"), {"t": Trade, "error": Failure, "subscription": None}, counts)


def test_each_kind_becomes_its_type(decoder: Decoder[Trade | Failure]) -> None:
    assert decoder.one(b'{"T":"t","S":"AAPL","p":1,"t":"2026-03-02T14:30:00Z"}') == Trade(
        "AAPL", Decimal(1), datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    )
    assert decoder.one('{"code":402,"T":"error","msg":"auth failed"}') == Failure(402)
    assert decoder.unread == {}


@pytest.mark.parametrize("number", ["388.985", "0.1", "100000000000000000.01", "1e-8", "5", "-0.00000000000000000001"])
def test_numbers_and_strings_become_exact_decimals(decoder: Decoder[Trade | Failure], number: str) -> None:
    for written in (number, f'"{number}"'):
        trade = decoder.one(f'{{"T":"t","S":"A","p":{written}}}')
        assert isinstance(trade, Trade)
        assert str(trade.p) == str(Decimal(number))


def test_what_is_known_and_not_wanted_is_neither_given_nor_counted(decoder: Decoder[Trade | Failure]) -> None:
    assert decoder.one('{"T":"subscription","trades":["AAPL"]}') is None
    assert decoder.unread == {}


def test_a_misfit_in_an_array_costs_no_other_and_is_counted_by_its_kind(decoder: Decoder[Trade | Failure]) -> None:
    frame = b'[{"T":"t","S":"A","p":"x"},{"T":"t","S":"B","p":2},{"T":"luld"},{"S":"no kind"},7,{"T":"t","S":"C","p":true}]'
    assert decoder.every(frame) == [Trade("B", Decimal(2))]
    assert decoder.unread == {"alpaca data t": 2, "alpaca data luld": 1, "alpaca data without a kind": 2}


def test_one_message_without_an_array_is_read_too(decoder: Decoder[Trade | Failure]) -> None:
    assert decoder.every('{"T":"error","code":1}') == [Failure(1)]


@pytest.mark.parametrize("frame", [b"", b"[", b"not json", b"\xff\xfe", b'{"T":', "[{},"])
def test_what_is_no_json_is_counted(decoder: Decoder[Trade | Failure], frame: bytes | str) -> None:
    assert decoder.every(frame) == []
    assert decoder.unread == {"alpaca data without a kind": 1}


def test_the_first_of_each_kind_is_logged_with_its_field_and_never_its_content(
    decoder: Decoder[Trade | Failure], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(3):
        decoder.one('{"T":"t","S":"A","p":1,"side":"hush"}')
    decoder.one('{"T":"error","msg":"hush"}')
    decoder.one('{"T":"greeting","msg":"hush"}')
    assert [record.getMessage() for record in caplog.records] == [
        "a message could not be read: alpaca data t: field $.side",
        "a message could not be read: alpaca data error: field code",
        "a message could not be read: alpaca data greeting: of no known kind",
    ]


def test_a_venue_that_invents_kinds_does_not_fill_the_memory(decoder: Decoder[Trade | Failure], counts: Unread) -> None:
    for number in range(1000):
        decoder.one(f'{{"T":"{number}{"x" * 1000}"}}')
    assert len(counts) <= 201
    assert max(len(kind) for kind in counts) <= 60
    assert sum(counts.values()) == 1000


def test_others_may_count_what_they_cannot_read(counts: Unread, caplog: pytest.LogCaptureFixture) -> None:
    counts.count("tradovate order", KeyError("hush"))
    assert counts == {"tradovate order": 1}
    assert "tradovate order: KeyError" in caplog.text
    assert "hush" not in caplog.text

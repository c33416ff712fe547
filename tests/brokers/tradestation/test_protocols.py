"""TradeStation's streams, replayed from recordings: the same bytes give the same events, wherever they are cut."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.market.bars import Bar, Quote, Trade
from fillpath.orders.model import LegStatus, Side
from fillpath_brokers.facade import Feed, NoData, OrderUpdate
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.streaming.protocol import Action, End, Forget, GiveUp, Heard, Ready, Reconnect, StreamProtocol
from fillpath_brokers.tradestation.bars_protocol import BarsProtocol
from fillpath_brokers.tradestation.orders_protocol import OrdersProtocol
from fillpath_brokers.tradestation.quotes_protocol import QuotesProtocol
from fillpath_brokers.tradestation.stream_protocol import TradeStationProtocol
from tests.brokers.tradestation.rig import EVENTS, sample

AT = datetime(2026, 11, 25, 15, 4, 8, tzinfo=UTC)
W, P, F, C = LegStatus.WORKING, LegStatus.PARTIALLY_FILLED, LegStatus.FILLED, LegStatus.CANCELLED


def recorded(name: str) -> bytes:
    return (EVENTS / "streams" / f"{name}.jsonl").read_bytes()


def replayed(protocol: StreamProtocol[Any], frames: Sequence[bytes]) -> list[Action[Any]]:
    actions = list(protocol.opened())
    for frame in frames:
        actions += protocol.received(frame, AT)
    return actions


def heard(actions: list[Action[Any]]) -> list[Any]:
    return [action.event for action in actions if isinstance(action, Heard)]


def test_orders_are_told_as_they_are_and_then_as_they_change() -> None:
    actions = replayed(OrdersProtocol(), [recorded("orders")])
    assert [type(each) for each in actions[:3]] == [Heard, Ready, Heard]
    updates = heard(actions)
    assert all(isinstance(each, OrderUpdate) and each.contract == "ESZ6" for each in updates)
    assert [(each.view.broker_order_id, each.view.status, each.view.filled_quantity) for each in updates] == [
        ("911249400", W, 0),
        ("911249493", W, 0),
        ("911249493", P, 1),
        ("911249493", F, 2),
        ("911249493", F, 2),
        ("911249493", F, 2),
        ("911249493", F, 2),
        ("911249400", W, 0),
        ("911249400", W, 0),
        ("911249400", C, 0),
        ("911249401", LegStatus.REJECTED, 0),
    ]
    assert (updates[-1].view.reason, updates[-1].side) == ("invalid_price", Side.SELL)


def test_a_server_that_goes_is_left_at_once() -> None:
    last = replayed(OrdersProtocol(), [recorded("orders")])[-1]
    assert isinstance(last, Reconnect)
    assert last.planned
    assert last.after_s == 0


def test_an_order_that_does_not_fit_is_counted_and_not_fatal() -> None:
    before = unread.get("tradestation order stream", 0)
    replayed(OrdersProtocol(), [recorded("orders")])
    assert unread["tradestation order stream"] == before + 1


def test_a_late_fill_of_an_ended_order_still_counts() -> None:
    protocol = OrdersProtocol()
    cancelled = json.dumps(sample("order_out")).encode() + b"\n"
    protocol.received(cancelled, AT)
    [late] = heard(list(protocol.received(cancelled.replace(b'"ExecQuantity": "0"', b'"ExecQuantity": "1"'), AT)))
    assert (late.view.status, late.view.filled_quantity) == (C, 1)
    [again] = heard(list(protocol.received(cancelled.replace(b'"OUT"', b'"ACK"'), AT)))
    assert (again.view.status, again.view.filled_quantity) == (C, 1)


@given(st.sampled_from(["orders", "quotes", "bars"]), st.integers(1, 3000))
def test_bytes_may_be_cut_anywhere(name: str, size: int) -> None:
    makes = {
        "orders": OrdersProtocol,
        "quotes": lambda: QuotesProtocol(Feed.TICKS, ["ESZ26"]),
        "bars": lambda: BarsProtocol("ESZ26"),
    }
    whole = recorded(name)
    pieces = [whole[begin : begin + size] for begin in range(0, len(whole), size)]
    assert replayed(makes[name](), pieces) == replayed(makes[name](), [whole])


def test_trades_are_what_the_volume_has_grown_by() -> None:
    actions = replayed(QuotesProtocol(Feed.TICKS, ["AAPL", "ESZ26", "ZZZZ"]), [recorded("quotes")])
    assert actions[0] == Ready()
    assert [each for each in heard(actions) if not isinstance(each, NoData)] == [
        Trade("ESZ6", AT - timedelta(seconds=3), AT, Decimal("5900.5"), Decimal(2)),
        Trade("ESZ6", AT - timedelta(seconds=2), AT, Decimal("5900.5"), Decimal(5)),
        Trade("AAPL", AT - timedelta(seconds=1), AT, Decimal("229.2"), Decimal(100), conditions=("delayed",)),
        Trade("ESZ6", datetime(2026, 11, 25, 23, tzinfo=UTC), AT, Decimal(5899), Decimal(15)),
    ]


def test_quotes_are_merged_from_what_changes() -> None:
    quotes = heard(replayed(QuotesProtocol(Feed.QUOTES, ["AAPL", "ESZ26"]), [recorded("quotes")]))
    assert all(isinstance(each, Quote) for each in quotes)
    assert [(each.symbol, each.bid, each.bid_size, each.ask, each.ask_size) for each in quotes] == [
        ("ESZ6", Decimal("5900.25"), 10, Decimal("5900.5"), 12),
        ("AAPL", Decimal("229.14"), 10, Decimal("229.16"), 12),
        ("ESZ6", Decimal("5900.5"), 4, Decimal("5900.5"), 12),
        ("ESZ6", Decimal("5900.5"), 4, None, None),
    ]


@pytest.mark.parametrize("spelled", ["NQZ26", "nqz26"])
def test_a_symbol_without_data_is_told_once_and_forgotten_and_the_last_one_ends_the_stream(spelled: str) -> None:
    protocol = QuotesProtocol(Feed.TICKS, ["ESZ26", "NQZ26"])
    refusal = f'{{"Symbol":"{spelled}","Error":"FAILED, INVALID SYMBOL"}}\n'.encode()
    text = "TradeStation gives no quotes of NQZ26: FAILED, INVALID SYMBOL"
    assert protocol.received(refusal, AT) == [Heard(NoData("NQZ6", text)), Forget(frozenset({"NQZ26"}), GiveUp(text))]
    assert protocol.received(refusal, AT) == []


@pytest.mark.parametrize("error", ['"Error":"Failed","Message":"Not entitled"', '"Symbol":"X","Error":"FAILED, INVALID SYMBOL"'])
def test_bars_of_a_symbol_without_data_end_their_stream(error: str) -> None:
    [ended] = BarsProtocol("ESZ26").received(f"{{{error}}}\n".encode(), AT)
    assert isinstance(ended, GiveUp)
    assert "no bars of ESZ6" in ended.reason


@pytest.mark.parametrize("status", [400, 404])
def test_bars_whose_address_is_refused_are_not_asked_for_again(status: int) -> None:
    assert isinstance(BarsProtocol("ESZ26").ended(End(status=status), 1), GiveUp)
    assert isinstance(BarsProtocol("ESZ26").ended(End(status=503), 1), Reconnect)


def test_what_a_message_means_is_the_heirs_to_say() -> None:
    class Silent(TradeStationProtocol[str]):
        pass

    with pytest.raises(TypeError, match="_heard"):
        Silent("stream")  # type: ignore[abstract]  # that is what is tested


def test_other_symbols_need_another_stream_at_once() -> None:
    [wanted] = QuotesProtocol(Feed.TICKS, ["ESZ26"]).subscribe(["NQZ26"], [])
    assert isinstance(wanted, Reconnect)
    assert wanted.planned


def test_bars_are_labelled_by_their_start_and_final_once_closed() -> None:
    actions = replayed(BarsProtocol("ESZ26"), [recorded("bars")])
    bars = heard(actions)
    assert all(isinstance(each, Bar) and each.symbol == "ESZ6" for each in bars)
    start = datetime(2026, 11, 25, 15, 3, tzinfo=UTC)
    assert [(each.start - start, each.close, each.final) for each in bars] == [
        (timedelta(0), Decimal("5900.5"), True),
        (timedelta(minutes=1), Decimal("5900.25"), False),
        (timedelta(minutes=1), Decimal("5901.25"), False),
        (timedelta(minutes=1), Decimal(5901), True),
    ]


def test_a_second_session_of_the_same_user_is_not_fought() -> None:
    last = replayed(BarsProtocol("ESZ26"), [recorded("bars")])[-1]
    assert isinstance(last, GiveUp)
    assert not last.needs_reauth
    assert "elsewhere" in last.reason


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"Error":"GoAway","Message":"The server is about to shut down."}', Reconnect),
        (b'{"Error":"InternalServerError","Message":"oops"}', Reconnect),
        (b'{"Error":"Forbidden","Message":"Invalid Account ID.","AccountID":"1"}', GiveUp),
        (b'{"Error":"BadRequest","Message":"no"}', GiveUp),
        (b"END", Reconnect),
        (b"ERROR - Gateway", Reconnect),
    ],
)
def test_what_ends_a_stream(line: bytes, expected: type) -> None:
    [action] = OrdersProtocol().received(line + b"\n", AT)
    assert isinstance(action, expected)


@pytest.mark.parametrize("line", [b'{"Heartbeat":1,"Timestamp":"2026-11-25T15:04:10Z"}', b"[1]", b"{nonsense}", b"word", b"{}"])
def test_what_is_no_event_is_passed_over(line: bytes) -> None:
    assert OrdersProtocol().received(line + b"\n", AT) == []


def test_a_refused_token_is_told_and_all_else_is_as_usual() -> None:
    protocol = OrdersProtocol()
    assert isinstance(protocol.ended(End(status=503), 1), Reconnect)
    assert isinstance(protocol.ended(End(status=403), 1), GiveUp)
    assert not protocol.refused
    assert isinstance(protocol.ended(End(status=401), 5), Reconnect)
    assert protocol.refused


def test_three_heartbeats_may_be_missed() -> None:
    assert OrdersProtocol().silence_s == 15


@pytest.mark.parametrize("price", ['"NaN"', '"Infinity"'])
def test_a_price_that_is_no_number_is_no_quote(price: str) -> None:
    message = f'{{"Symbol":"ESZ26","Bid":{price},"BidSize":"1"}}'
    assert QuotesProtocol(Feed.QUOTES, ["ESZ26"]).received(message.encode() + b"\n", AT) == []


def test_fractions_that_are_no_text_are_read_exactly() -> None:
    [told] = QuotesProtocol(Feed.QUOTES, ["ESZ26"]).received(b'{"Symbol":"ESZ26","Bid":5000.2500000000000001}\n', AT)
    assert isinstance(told, Heard)
    assert told.event.bid == Decimal("5000.2500000000000001")

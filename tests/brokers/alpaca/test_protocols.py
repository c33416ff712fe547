"""Alpaca's streams, replayed from recordings: the same frames give the same events again."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.market.bars import Bar, Quote, Trade
from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import LegView
from fillpath_brokers.alpaca.data_protocol import DataProtocol
from fillpath_brokers.alpaca.orders_protocol import OrdersProtocol
from fillpath_brokers.facade import OrderUpdate
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.streaming.protocol import Action, Forget, GiveUp, Heard, Ping, Ready, Reconnect, Send, StreamProtocol
from fillpath_brokers.streaming.topics import NotToBeHad
from tests.brokers.alpaca.test_wire import EVENTS, sample

KEYS = {"key_id": "PKTEST", "secret_key": "s3cret"}
AAPL = "trades AAPL"
CONNECTED = '[{"T":"success","msg":"connected"}]'
AUTHENTICATED = '[{"T":"success","msg":"authenticated"}]'
SUBSCRIPTION = '[{"T":"subscription"}]'
REFUSAL = '[{"T":"error","code":400,"msg":"no"}]'
AT = datetime(2026, 11, 25, 15, 51, 47, tzinfo=UTC)


def recorded(name: str) -> list[str]:
    return (EVENTS / "streams" / f"{name}.jsonl").read_text().splitlines()


def replayed(protocol: StreamProtocol[Any], frames: Sequence[str | bytes]) -> list[Action[Any]]:
    actions = list(protocol.opened())
    for frame in frames:
        actions += protocol.received(frame, AT)
    return actions


def sent(actions: list[Action[Any]]) -> list[Any]:
    return [json.loads(action.frame) for action in actions if isinstance(action, Send)]


def heard(actions: list[Action[Any]]) -> list[Any]:
    return [action.event for action in actions if isinstance(action, Heard)]


def test_the_order_stream_signs_in_listens_and_tells_cumulative_figures() -> None:
    actions = replayed(OrdersProtocol(KEYS), recorded("trade_updates"))
    assert sent(actions) == [
        {"action": "auth", "key": "PKTEST", "secret": "s3cret"},
        {"action": "listen", "data": {"streams": ["trade_updates"]}},
    ]
    assert Ready() in actions
    updates = heard(actions)
    assert [(each.view.status, each.view.filled_quantity) for each in updates] == [
        (LegStatus.WORKING, 0),
        (LegStatus.PARTIALLY_FILLED, 4),
        (LegStatus.FILLED, 10),
    ]
    assert all(isinstance(each, OrderUpdate) and each.contract == "AAPL" for each in updates)
    assert updates[-1].view.average_price == Decimal("229.16")


def test_binary_frames_that_hold_text_are_the_same() -> None:
    frames = recorded("trade_updates")
    assert replayed(OrdersProtocol(KEYS), [each.encode() for each in frames]) == replayed(OrdersProtocol(KEYS), frames)


def test_an_update_that_does_not_fit_is_counted_and_not_fatal() -> None:
    before = unread.get("alpaca orders trade_updates", 0)
    replayed(OrdersProtocol(KEYS), recorded("trade_updates"))
    assert unread["alpaca orders trade_updates"] == before + 1


def test_a_replaced_order_lives_on_under_the_id_of_its_successor() -> None:
    order = sample("order_replaced")
    message = json.dumps({"stream": "trade_updates", "data": {"event": "replaced", "order": order}})
    [told] = heard(list(OrdersProtocol(KEYS).received(message, AT)))
    assert (told.client_order_id, told.contract) == (order["client_order_id"], order["symbol"])
    assert told.view == LegView(LegStatus.WORKING, broker_order_id=order["replaced_by"])


def test_an_order_that_nothing_took_the_place_of_has_ended() -> None:
    order = sample("order_replaced") | {"replaced_by": None}
    message = json.dumps({"stream": "trade_updates", "data": {"event": "replaced", "order": order}})
    [told] = heard(list(OrdersProtocol(KEYS).received(message, AT)))
    assert told.view.status is LegStatus.CANCELLED


def test_refused_keys_end_the_order_stream() -> None:
    protocol = OrdersProtocol(KEYS)
    [ended] = protocol.received(json.dumps({"stream": "authorization", "data": {"status": "unauthorized"}}), AT)
    assert isinstance(ended, GiveUp)
    assert ended.needs_reauth


def test_market_data_signs_in_when_alpaca_has_spoken_and_subscribes() -> None:
    protocol = DataProtocol(KEYS, ["bars MSFT", "bars AAPL"])
    assert protocol.opened() == ()
    actions = replayed(protocol, recorded("market_data"))
    assert sent(actions) == [
        {"action": "auth", "key": "PKTEST", "secret": "s3cret"},
        {"action": "subscribe", "bars": ["AAPL", "MSFT"], "updatedBars": ["AAPL", "MSFT"]},
    ]
    assert actions.count(Ready()) == 1


def test_trades_quotes_and_bars_come_exact_and_with_their_times() -> None:
    trade, quote, one_sided, bar, changed = heard(replayed(DataProtocol(KEYS, [AAPL]), recorded("market_data")))
    assert trade == Trade(
        "AAPL", AT - timedelta(seconds=2, milliseconds=792), AT, Decimal("126.55"), Decimal(1), "96921", ("@", "I")
    )
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (Decimal("126.54"), Decimal("126.58"), 100, 400)
    assert (one_sided.bid, one_sided.bid_size, one_sided.ask) == (None, None, Decimal("126.6"))
    assert isinstance(bar, Bar)
    assert (bar.start, bar.close) == (datetime(2026, 11, 25, 15, 51, tzinfo=UTC), Decimal("126.55"))
    assert (changed.start, changed.close) == (bar.start, Decimal("126.56"))


def running(*wanted: str) -> DataProtocol:
    """A connection that carries these topics."""
    protocol = DataProtocol(KEYS, wanted)
    replayed(protocol, [CONNECTED, AUTHENTICATED, SUBSCRIPTION])
    return protocol


def test_every_feed_is_asked_for_at_once_and_only_then_it_is_ready() -> None:
    protocol = DataProtocol(KEYS, ["quotes AAPL", "trades MSFT", "bars AAPL", "trades AAPL"])
    actions = replayed(protocol, [CONNECTED, AUTHENTICATED])
    assert sent(actions)[1:] == [
        {
            "action": "subscribe",
            "bars": ["AAPL"],
            "quotes": ["AAPL"],
            "trades": ["AAPL", "MSFT"],
            "updatedBars": ["AAPL"],
        }
    ]
    assert Ready() not in actions
    assert protocol.received(SUBSCRIPTION, AT) == [Ready()]


def test_who_wants_nothing_is_ready_once_it_is_let_in() -> None:
    assert replayed(DataProtocol(KEYS, ()), [CONNECTED, AUTHENTICATED])[-1] == Ready()


def test_topics_change_on_a_running_connection_one_request_at_a_time() -> None:
    protocol = running(AAPL)
    first = protocol.subscribe(["bars AAPL", "trades MSFT"], [AAPL])
    assert sent(list(first)) == [{"action": "subscribe", "bars": ["AAPL"], "trades": ["MSFT"], "updatedBars": ["AAPL"]}]
    second = protocol.received(SUBSCRIPTION, AT)
    assert sent(list(second)) == [{"action": "unsubscribe", "trades": ["AAPL"]}]
    assert protocol.received(SUBSCRIPTION, AT) == []


@pytest.mark.parametrize("code", [400, 405, 410])
def test_a_topic_that_is_not_to_be_had_is_told_and_leaves_the_others_alone(code: int) -> None:
    protocol = running(AAPL)
    protocol.subscribe(["quotes MSFT"], [])
    actions = protocol.received(json.dumps([{"T": "error", "code": code, "msg": "no"}]), AT)
    [told] = heard(list(actions))
    assert isinstance(told, NotToBeHad)
    assert told.topics == {"quotes MSFT"}
    assert Forget(frozenset({"quotes MSFT"})) in actions
    assert sent(list(protocol.subscribe(["quotes TSLA"], []))) == [{"action": "subscribe", "quotes": ["TSLA"]}]


def test_of_several_topics_the_one_that_is_refused_is_found_by_asking_in_halves() -> None:
    wanted = [f"trades {symbol}" for symbol in ("AAPL", "AMD", "KO", "MSFT", "TLT")]
    answers = [REFUSAL, SUBSCRIPTION, REFUSAL, REFUSAL, SUBSCRIPTION]
    actions = replayed(DataProtocol(KEYS, wanted), [CONNECTED, AUTHENTICATED, *answers])
    assert [each["trades"] for each in sent(actions)[1:]] == [
        ["AAPL", "AMD", "KO", "MSFT", "TLT"],
        ["AAPL", "AMD"],
        ["KO", "MSFT", "TLT"],
        ["KO"],
        ["MSFT", "TLT"],
    ]
    assert [each.topics for each in heard(actions)] == [{"trades KO"}]
    assert actions[-1] == Ready()


def test_what_was_refused_is_asked_for_again_before_anything_else() -> None:
    protocol = DataProtocol(KEYS, [])
    replayed(protocol, [CONNECTED, AUTHENTICATED])
    protocol.subscribe(["trades KO", "trades MSFT"], [])
    protocol.subscribe([], ["trades MSFT"])
    asked = [sent(list(protocol.received(frame, AT))) for frame in (REFUSAL, SUBSCRIPTION, SUBSCRIPTION)]
    assert asked == [
        [{"action": "subscribe", "trades": ["KO"]}],
        [{"action": "subscribe", "trades": ["MSFT"]}],
        [{"action": "unsubscribe", "trades": ["MSFT"]}],
    ]


def test_what_cannot_be_left_is_taken_from_nobody() -> None:
    protocol = running(AAPL)
    protocol.subscribe([], [AAPL])
    assert protocol.received(REFUSAL, AT) == []
    assert sent(list(protocol.subscribe([AAPL], []))) == [{"action": "subscribe", "trades": ["AAPL"]}]


def test_a_connection_whose_first_topics_are_refused_is_ready_all_the_same() -> None:
    protocol = DataProtocol(KEYS, [AAPL])
    actions = replayed(protocol, [CONNECTED, AUTHENTICATED, '[{"T":"error","code":405,"msg":"symbol limit exceeded"}]'])
    assert isinstance(heard(actions)[0], NotToBeHad)
    assert actions[-1] == Ready()


def test_a_subscription_without_an_answer_ends_the_connection() -> None:
    protocol = running(AAPL)
    assert [protocol.beat() for _ in range(5)] == [[Ping()]] * 5
    protocol.subscribe(["quotes MSFT"], [])
    assert [protocol.beat() for _ in range(3)] == [[Ping()]] * 3
    [verdict] = protocol.beat()
    assert isinstance(verdict, Reconnect)


@pytest.mark.parametrize(("code", "needs_reauth"), [(402, True), (409, False)])
def test_errors_that_time_does_not_heal_end_the_stream(code: int, needs_reauth: bool) -> None:
    [ended] = DataProtocol(KEYS, [AAPL]).received(json.dumps([{"T": "error", "code": code, "msg": "no"}]), AT)
    assert isinstance(ended, GiveUp)
    assert ended.needs_reauth is needs_reauth


@pytest.mark.parametrize("price", ['"NaN"', '"Infinity"', '"-inf"', '" nan "', "null"])
def test_a_price_that_is_no_number_is_no_trade(price: str) -> None:
    before = unread.get("alpaca data t", 0)
    message = f'[{{"T":"t","S":"AAPL","p":{price},"s":1,"t":"2026-11-25T15:51:44Z"}}]'
    assert running(AAPL).received(message, AT) == []
    assert unread["alpaca data t"] == before + 1


def test_a_connection_that_is_still_occupied_is_tried_again_later() -> None:
    [ended] = DataProtocol(KEYS, [AAPL]).received('[{"T":"error","code":406,"msg":"limit"}]', AT)
    assert isinstance(ended, Reconnect)
    assert ended.after_s >= 5


def test_silence_is_told_from_a_dead_line_by_pings() -> None:
    for protocol in (OrdersProtocol(KEYS), DataProtocol(KEYS, ())):
        assert protocol.beat() == [Ping()]
        assert protocol.beat_s * 2 < protocol.silence_s


def test_keys_are_not_shown_by_what_is_to_be_sent() -> None:
    assert "s3cret" not in repr(OrdersProtocol(KEYS).opened())

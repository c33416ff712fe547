"""Schwab's streamer protocol, replayed from recordings: the same frames give the same events again."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.market.bars import Bar, Quote
from fillpath_brokers.facade import Feed
from fillpath_brokers.schwab.stream_protocol import ORDERS, Changed, StreamerProtocol, Who, topic
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.streaming.protocol import Action, End, Forget, GiveUp, Heard, Ready, Reconnect, Send
from fillpath_brokers.streaming.topics import NotToBeHad
from tests.brokers.schwab.site import EVENTS

AT = datetime(2026, 11, 25, 15, 51, 50, tzinfo=UTC)
WHO = Who("c0ffee-sample-customer", "0f3c9a52-7c1e-4b60-9d88-2a41c3b57e90", "N9", "APIAPP", "t0ken-sample")
MARKET = [topic(feed, symbol) for feed in (Feed.QUOTES, Feed.BARS) for symbol in ("/ES", "AAPL")]


def recorded(name: str) -> list[str]:
    return (EVENTS / "streams" / f"{name}.jsonl").read_text().splitlines()


def protocol_for(topics: Iterable[str], **more: Any) -> StreamerProtocol:
    return StreamerProtocol(WHO, topics, **more)


def replayed(protocol: StreamerProtocol, frames: Sequence[str], every_s: float = 0.0) -> list[Action[Any]]:
    actions = list(protocol.opened())
    for number, frame in enumerate(frames):
        actions += protocol.received(frame, AT + timedelta(seconds=number * every_s))
    return actions


def sent(actions: Iterable[Action[Any]]) -> list[Any]:
    frames = [json.loads(action.frame) for action in actions if isinstance(action, Send)]
    return [request for frame in frames for request in frame["requests"]]


def heard(actions: Iterable[Action[Any]]) -> list[Any]:
    return [action.event for action in actions if isinstance(action, Heard)]


def test_it_signs_in_and_sends_one_command_after_the_other() -> None:
    protocol = protocol_for(MARKET)
    [login] = sent(protocol.opened())
    assert (login["service"], login["command"], login["requestid"]) == ("ADMIN", "LOGIN", "1")
    assert login["SchwabClientCustomerId"] == "c0ffee-sample-customer"
    assert login["parameters"] == {
        "Authorization": "t0ken-sample",
        "SchwabClientChannel": "N9",
        "SchwabClientFunctionId": "APIAPP",
    }
    services = []
    for frame in recorded("market_data")[:4]:
        commands = sent(protocol.received(frame, AT))
        assert len(commands) == 1
        services.append((commands[0]["service"], commands[0]["command"], commands[0]["parameters"]["keys"]))
    assert services == [
        ("CHART_EQUITY", "SUBS", "AAPL"),
        ("CHART_FUTURES", "SUBS", "/ES"),
        ("LEVELONE_EQUITIES", "SUBS", "AAPL"),
        ("LEVELONE_FUTURES", "SUBS", "/ES"),
    ]


def test_it_is_ready_once_the_last_subscription_is_answered() -> None:
    protocol = protocol_for(MARKET)
    frames = recorded("market_data")
    assert Ready() not in replayed(protocol, frames[:5])
    assert protocol.received(frames[5], AT) == [Ready()]


def test_quotes_are_merged_from_what_changed() -> None:
    quotes = [each for each in heard(replayed(protocol_for(MARKET), recorded("market_data"))) if isinstance(each, Quote)]
    futures = [(each.bid, each.ask, each.bid_size, each.ask_size) for each in quotes if each.symbol == "/ES"]
    assert futures == [
        (Decimal("6858.25"), Decimal("6858.5"), 61, 112),
        (Decimal("6858.25"), Decimal("6858.75"), 61, 90),
        (Decimal("6858.25"), Decimal("6858.75"), 61, 90),
    ]
    assert quotes[0].at == datetime.fromtimestamp(1764085907.050, UTC)
    assert quotes[0].received_at == AT


def test_a_side_without_price_and_size_is_empty() -> None:
    quotes = [each for each in heard(replayed(protocol_for(MARKET), recorded("market_data"))) if isinstance(each, Quote)]
    first, second = (each for each in quotes if each.symbol == "AAPL")
    assert (first.bid, first.ask) == (Decimal("229.04"), Decimal("229.06"))
    assert (second.bid, second.ask, second.ask_size) == (Decimal("229.04"), None, None)


def test_bars_of_futures_and_of_shares_have_their_fields_in_their_own_order() -> None:
    bars = {each.symbol: each for each in heard(replayed(protocol_for(MARKET), recorded("market_data"))) if isinstance(each, Bar)}
    start = datetime.fromtimestamp(1764085860, UTC)
    assert bars["/ES"] == Bar(
        "/ES", start, Decimal("6858.25"), Decimal("6858.75"), Decimal("6857.75"), Decimal("6858.5"), Decimal(897)
    )
    assert bars["AAPL"] == Bar(
        "AAPL", start, Decimal(229), Decimal("229.11"), Decimal("228.97"), Decimal("229.05"), Decimal(11730)
    )


def test_a_record_that_does_not_fit_is_counted_and_not_fatal() -> None:
    before = unread.get("schwab LEVELONE_FUTURES", 0)
    replayed(protocol_for(MARKET), recorded("market_data"))
    assert unread["schwab LEVELONE_FUTURES"] == before + 1


@pytest.mark.parametrize("frame", ["no json", "[]", '{"data": 7}'])
def test_a_frame_that_cannot_be_read_is_counted_and_may_have_been_about_any_order(frame: str) -> None:
    before = unread.get("schwab streamer", 0)
    assert heard(running("LEVELONE_FUTURES /ES").received(frame, AT)) == [Changed(None, None, AT)]
    assert unread["schwab streamer"] == before + 1


def record(service: str, timestamp: Any = 1, **content: Any) -> dict[str, Any]:
    return {"service": service, "timestamp": timestamp, "content": [content]}


def test_a_record_whose_header_does_not_fit_costs_no_other() -> None:
    good = record("LEVELONE_FUTURES", key="/ES", **{"1": 5, "4": 1})
    wrong = record("LEVELONE_FUTURES", "later", key="/NQ", **{"1": 5, "4": 1})
    activity = record("ACCT_ACTIVITY", **{"1": "90000001", "2": "OrderFillCompleted", "3": '{"SchwabOrderID": 7}'})
    answers = [json.loads(answer(0, 1))["response"][0], {"service": 5}]
    before = unread.get("schwab record", 0)
    frame = json.dumps({"data": [good, wrong, activity], "response": answers, "notify": [{"heartbeat": 1}, 7]})
    quote, changed = heard(running("LEVELONE_FUTURES /ES").received(frame, AT))
    assert (quote.symbol, changed) == ("/ES", Changed("90000001", "7", AT))
    assert unread["schwab record"] == before + 3


@pytest.mark.parametrize(
    "lost",
    [
        record("ACCT_ACTIVITY", "later"),
        {"timestamp": "later"},
        {"service": 5},
        7,
        record("ACCT_ACTIVITY", **{"2": 7}),
    ],
)
def test_a_record_that_may_have_been_about_an_order_may_have_been_about_any(lost: Any) -> None:
    frame = json.dumps({"data": [lost]})
    assert heard(running("LEVELONE_FUTURES /ES").received(frame, AT)) == [Changed(None, None, AT)]


def test_account_activity_says_which_order_is_to_be_read() -> None:
    changes = heard(replayed(protocol_for([ORDERS]), recorded("account_activity")))
    assert all(isinstance(each, Changed) and each.at == AT for each in changes)
    assert [each.order_id for each in changes] == ["1002881234001"] * 4 + [None, None]
    assert {each.account for each in changes} == {"90000001"}


def test_word_about_requests_to_an_exchange_changes_no_order() -> None:
    kinds = [
        json.loads(line)["data"][0]["content"][0]["2"]
        for line in recorded("account_activity")
        if "ACCT_ACTIVITY" in line and "data" in json.loads(line)
    ]
    assert kinds.count("ExecutionRequested") == 1
    assert len(heard(replayed(protocol_for([ORDERS]), recorded("account_activity")))) == 6 < len(kinds)


def test_a_number_left_out_means_that_something_was_missed() -> None:
    lines = recorded("account_activity")
    protocol = protocol_for([ORDERS])
    replayed(protocol, lines[:4])
    [action] = protocol.received(next(line for line in lines if '"seq":10' in line), AT)
    assert isinstance(action, Heard)
    assert action.event == Changed("90000001", None, AT)


def test_a_refused_token_is_remembered_and_another_connection_tried() -> None:
    protocol = protocol_for(MARKET)
    *_, verdict = replayed(protocol, recorded("login_denied"))
    assert isinstance(verdict, Reconnect)
    assert protocol.denied == "Login Denied.: token is invalid or has expired."
    assert "t0ken" not in verdict.reason


def test_a_second_connection_of_the_user_is_not_fought() -> None:
    *_, verdict = replayed(protocol_for([topic(Feed.QUOTES, "/ES")]), recorded("taken_over"))
    assert isinstance(verdict, GiveUp)
    assert not verdict.needs_reauth
    assert "another connection" in verdict.reason


def test_a_stopped_stream_is_made_anew() -> None:
    *_, verdict = replayed(protocol_for([topic(Feed.QUOTES, "/ES")]), recorded("stopped"))
    assert isinstance(verdict, Reconnect)


def test_symbols_beyond_the_limit_are_told_and_the_rest_goes_on() -> None:
    topics = [topic(Feed.BARS, "/ES"), topic(Feed.QUOTES, "/NQ")]
    actions = replayed(protocol_for(topics), recorded("symbol_limit"))
    [refused] = heard(actions)
    assert isinstance(refused, NotToBeHad)
    assert refused.topics == {"LEVELONE_FUTURES /NQ"}
    assert "no more symbols" in refused.text
    assert Ready() in actions


def answer(code: int, request_id: int, text: str = "said so") -> str:
    content = {"code": code, "msg": text}
    row = {"service": "X", "command": "Y", "requestid": str(request_id), "timestamp": 1, "content": content}
    return json.dumps({"response": [row]})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, Ready),
        (26, Ready),
        (28, Ready),
        (9, Reconnect),
        (11, Reconnect),
        (12, GiveUp),
        (20, Reconnect),
        (21, GiveUp),
        (30, Reconnect),
        (99, Reconnect),
    ],
)
def test_each_code_of_an_answer_has_its_meaning(code: int, kind: type) -> None:
    protocol = protocol_for([topic(Feed.QUOTES, "/ES")])
    replayed(protocol, recorded("market_data")[:1])
    *_, verdict = protocol.received(answer(code, 2), AT)
    assert isinstance(verdict, kind)


@pytest.mark.parametrize("code", [19, 22, 23, 24, 25])
def test_a_failed_subscription_is_told_to_who_wants_it(code: int) -> None:
    protocol = protocol_for([topic(Feed.QUOTES, "/ES")])
    replayed(protocol, recorded("market_data")[:1])
    event, forget, ready = protocol.received(answer(code, 2), AT)
    assert isinstance(event, Heard)
    assert isinstance(event.event, NotToBeHad)
    assert (forget, ready) == (Forget(frozenset({"LEVELONE_FUTURES /ES"})), Ready())


def test_of_several_symbols_the_one_that_is_refused_is_found_by_asking_in_halves() -> None:
    protocol = protocol_for([topic(Feed.QUOTES, symbol) for symbol in ("/ES", "/GC", "/NQ")])
    answers = [answer(code, number) for number, code in enumerate([22, 0, 22, 0, 22], start=2)]
    actions = replayed(protocol, [*recorded("market_data")[:1], *answers])
    assert [(each["command"], each["parameters"]["keys"]) for each in sent(actions)[1:]] == [
        ("SUBS", "/ES,/GC,/NQ"),
        ("SUBS", "/ES"),
        ("ADD", "/GC,/NQ"),
        ("ADD", "/GC"),
        ("ADD", "/NQ"),
    ]
    assert [each.topics for each in heard(actions)] == [{"LEVELONE_FUTURES /NQ"}]
    assert actions[-1] == Ready()


def test_a_symbol_that_was_refused_is_not_left_and_others_are() -> None:
    protocol = running("LEVELONE_FUTURES /ES")
    protocol.subscribe(["LEVELONE_FUTURES /NQ"], [])
    protocol.subscribe([], ["LEVELONE_FUTURES /NQ", "LEVELONE_FUTURES /ES"])
    [leave] = sent(protocol.received(answer(22, 3), AT))
    assert (leave["command"], leave["parameters"]) == ("UNSUBS", {"keys": "/ES"})
    assert protocol.received(answer(23, 4), AT) == []
    [again] = sent(protocol.subscribe(["LEVELONE_FUTURES /GC"], []))
    assert again["command"] == "SUBS"


def test_a_symbol_that_is_left_while_it_is_asked_for_is_left_once_it_is_carried() -> None:
    protocol = running("LEVELONE_FUTURES /ES")
    protocol.subscribe(["LEVELONE_FUTURES /NQ"], [])
    protocol.subscribe([], ["LEVELONE_FUTURES /NQ"])
    [leave] = sent(protocol.received(answer(28, 3), AT))
    assert (leave["command"], leave["parameters"]) == ("UNSUBS", {"keys": "/NQ"})


def running(*topics: str, **more: Any) -> StreamerProtocol:
    protocol = protocol_for(topics, **more)
    replayed(protocol, recorded("market_data")[:1])
    assert protocol.received(answer(0, 2), AT) == [Ready()]
    return protocol


def test_symbols_are_added_before_others_are_left() -> None:
    protocol = running("LEVELONE_FUTURES /ES")
    [first] = sent(protocol.subscribe(["CHART_FUTURES /ES", "LEVELONE_FUTURES /NQ"], ["LEVELONE_FUTURES /ES"]))
    assert (first["service"], first["command"], first["parameters"]["keys"]) == ("CHART_FUTURES", "SUBS", "/ES")
    [second] = sent(protocol.received(answer(0, 3), AT))
    assert (second["service"], second["command"], second["parameters"]["keys"]) == ("LEVELONE_FUTURES", "ADD", "/NQ")
    [third] = sent(protocol.received(answer(28, 4), AT))
    assert third["command"] == "UNSUBS"
    assert third["parameters"] == {"keys": "/ES"}


def test_what_was_never_carried_is_not_left() -> None:
    assert running("LEVELONE_FUTURES /ES").subscribe([], ["LEVELONE_FUTURES /NQ"]) == []


def test_a_quote_is_told_whole_again_after_it_was_left_and_taken_up() -> None:
    protocol = running("LEVELONE_FUTURES /ES")
    data = json.dumps({"data": [{"service": "LEVELONE_FUTURES", "timestamp": 1, "content": [{"key": "/ES", "1": 5, "4": 1}]}]})
    assert len(heard(protocol.received(data, AT))) == 1
    protocol.subscribe([], ["LEVELONE_FUTURES /ES"])
    later = json.dumps({"data": [{"service": "LEVELONE_FUTURES", "timestamp": 1, "content": [{"key": "/ES", "2": 6, "5": 1}]}]})
    [quote] = heard(protocol.received(later, AT))
    assert (quote.bid, quote.ask) == (None, 6)


def test_a_command_without_an_answer_ends_the_connection() -> None:
    protocol = running("LEVELONE_FUTURES /ES")
    assert [protocol.beat() for _ in range(5)] == [()] * 5
    protocol.subscribe(["LEVELONE_FUTURES /NQ"], [])
    assert [protocol.beat() for _ in range(3)] == [()] * 3
    [verdict] = protocol.beat()
    assert isinstance(verdict, Reconnect)


@pytest.mark.parametrize(("seconds", "kind"), [(80.0, GiveUp), (100.0, Reconnect)])
def test_a_stream_that_dies_young_is_not_made_again(seconds: float, kind: type) -> None:
    protocol = protocol_for([topic(Feed.QUOTES, "/ES")], shortest_s=90.0)
    replayed(protocol, [recorded("market_data")[0], answer(0, 2), recorded("market_data")[-1]], every_s=seconds / 2)
    assert isinstance(protocol.ended(End(code=1006), 0), kind)


def test_a_connection_that_never_was_ready_or_was_refused_is_tried_again() -> None:
    protocol = protocol_for([topic(Feed.QUOTES, "/ES")], shortest_s=90.0)
    assert isinstance(protocol.ended(End(), 1), Reconnect)
    assert isinstance(running("LEVELONE_FUTURES /ES", shortest_s=90.0).ended(End(status=503), 0), Reconnect)


def test_a_running_connection_that_must_sign_in_again_is_made_anew() -> None:
    [verdict] = running("LEVELONE_FUTURES /ES").token_changed("t0ken-2")
    assert verdict == Reconnect("the access token was renewed", planned=True)


def test_the_token_is_not_shown_by_what_is_to_be_sent() -> None:
    protocol = protocol_for(MARKET)
    assert "t0ken" not in repr(protocol.opened())
    assert "t0ken" not in repr(WHO)


@pytest.mark.parametrize(
    ("service", "content"),
    [
        ("LEVELONE_FUTURES", {"key": "/ES", "1": "NaN", "4": 1}),
        ("LEVELONE_EQUITIES", {"key": "AAPL", "2": "Infinity", "5": 1}),
        ("CHART_FUTURES", {"key": "/ES", "1": 1, "2": 1, "3": 2, "4": 1, "5": "-inf", "6": 9}),
    ],
)
def test_a_price_that_is_no_number_is_not_told(service: str, content: dict[str, Any]) -> None:
    protocol = running("LEVELONE_FUTURES /ES")
    data = {"data": [{"service": service, "timestamp": 1, "content": [content]}]}
    before = unread.get(f"schwab {service}", 0)
    assert heard(protocol.received(json.dumps(data), AT)) == []
    assert unread[f"schwab {service}"] == before + 1


@pytest.mark.parametrize("ms", [10**20, -(10**20)])
def test_a_time_that_no_calendar_has_costs_one_message_and_not_the_stream(ms: int) -> None:
    content = {"key": "/ES", "1": ms, "2": 1, "3": 2, "4": 1, "5": 2, "6": 9}
    data = {"data": [{"service": "CHART_FUTURES", "timestamp": 1, "content": [content]}]}
    assert heard(running("CHART_FUTURES /ES").received(json.dumps(data), AT)) == []

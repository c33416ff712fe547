"""Tradovate's sockets, replayed from recordings: the same frames give the same events again."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fillpath.market.bars import Bar, Quote, Trade
from fillpath.orders.model import LegStatus, Side
from fillpath_brokers.facade import Feed, NoData, OrderUpdate
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.streaming.protocol import Action, Forget, GiveUp, Heard, Ready, Reconnect, Send, StreamProtocol
from fillpath_brokers.tradovate.data_protocol import DataProtocol
from fillpath_brokers.tradovate.orders_protocol import OrdersProtocol
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.stream_protocol import SocketProtocol
from tests.brokers.tradovate.house import recorded, sample

AT = datetime(2026, 11, 25, 15, 4, 8, tzinfo=UTC)
IDS = {"ESZ6": 560901}


class FakeDoor:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def entered(self) -> None:
        self.told.append("entered")

    def denied(self, text: str) -> Reconnect | GiveUp:
        self.told.append(f"denied: {text}")
        return Reconnect("denied")


def settings(**given: str) -> Settings:
    return Settings.of(given)


def orders(door: FakeDoor | None = None, **given: str) -> OrdersProtocol:
    return OrdersProtocol("token-1", 15460, 123, settings(**given), door or FakeDoor())


def data(feed: Feed, symbols: Sequence[str] = ("ESZ6",), ids: dict[str, int] | None = None) -> DataProtocol:
    return DataProtocol("md-1", feed, symbols, IDS if ids is None else ids, settings(), FakeDoor())


def replayed(protocol: StreamProtocol[Any], frames: Sequence[str | bytes]) -> list[Action[Any]]:
    actions = list(protocol.opened())
    for frame in frames:
        actions += protocol.received(frame, AT)
    return actions


def sent(actions: Sequence[Action[Any]]) -> list[str]:
    return [str(action.frame) for action in actions if isinstance(action, Send)]


def heard(actions: Sequence[Action[Any]]) -> list[Any]:
    return [action.event for action in actions if isinstance(action, Heard)]


def frame(*messages: dict[str, Any]) -> str:
    return "a" + json.dumps(messages, default=float)


def props(kind: str, entity: Any, event: str = "Updated") -> str:
    return frame({"e": "props", "d": {"entityType": kind, "eventType": event, "entity": entity}})


# --- orders ---------------------------------------------------------------------------------------------------------------------


def test_it_authorizes_synchronizes_once_and_asks_for_contracts_that_nobody_told() -> None:
    door = FakeDoor()
    actions = replayed(orders(door), recorded("user"))
    assert sent(actions) == [
        "authorize\n0\n\ntoken-1",
        'user/syncrequest\n1\n\n{"users":[15460]}',
        "contract/item\n2\nid=560990\n",
    ]
    assert actions.count(Ready()) == 1
    assert door.told == ["entered"]
    assert actions[-1] == Reconnect("closed by Tradovate")


def test_an_order_is_put_together_from_its_parts_in_whatever_order_they_come() -> None:
    updates = [each for each in heard(replayed(orders(), recorded("user"))) if each.contract == "ESZ6"]
    assert all(isinstance(each, OrderUpdate) and each.side is Side.BUY for each in updates)
    assert {each.client_order_id for each in updates} == {"01JDN3V6Q0XH8R2YB4M7C9K5TD-open"}
    assert [(each.view.status, each.view.filled_quantity) for each in updates] == [
        (LegStatus.WORKING, 0),
        (LegStatus.PARTIALLY_FILLED, 1),
        (LegStatus.FILLED, 3),
        (LegStatus.FILLED, 3),
    ]
    last = updates[-1].view
    assert last.average_price == (Decimal("5000.25") + 2 * Decimal("5001.0")) / 3
    assert (updates[-2].view.commission, last.commission) == (0, Decimal("8.26"))


def test_a_rejected_order_is_told_again_with_its_reason() -> None:
    updates = [each for each in heard(replayed(orders(), recorded("user"))) if each.contract == "6EZ6"]
    assert [(each.view.status, each.view.reason) for each in updates] == [
        (LegStatus.WORKING, None),
        (LegStatus.REJECTED, None),
        (LegStatus.REJECTED, "insufficient_margin"),
    ]
    assert updates[-1].view.text == "Insufficient funds: initial margin 13,000.00, available 812.40"


def test_neither_other_accounts_nor_the_snapshot_are_told() -> None:
    ids = {each.view.broker_order_id for each in heard(replayed(orders(), recorded("user")))}
    assert ids == {"210518", "210700"}


def test_what_cannot_be_read_is_counted_and_not_fatal() -> None:
    before = (unread.get("tradovate order", 0), unread.get("tradovate socket", 0))
    replayed(orders(), recorded("user"))
    assert (unread["tradovate order"], unread["tradovate socket"]) == (before[0] + 1, before[1] + 1)


def test_a_message_that_cannot_be_read_costs_no_other_of_its_frame() -> None:
    protocol = synchronized()
    for kind, name in (("orderVersion", "version_market"), ("order", "order_working")):
        protocol.received(props(kind, sample(name)), AT)
    before = unread.get("tradovate socket message", 0)
    good = json.loads(props("fill", sample("fills_complete"))[1:])
    [told] = heard(protocol.received(frame(*good, {"i": "7", "s": 200}), AT))
    assert (told.view.status, told.view.filled_quantity) == (LegStatus.FILLED, 3)
    assert unread["tradovate socket message"] == before + 1


@pytest.mark.parametrize("unreadable", ['a[{"e":"props","d":', 'a{"e":"props"}', "a"])
def test_of_orders_a_frame_that_cannot_be_read_is_made_up_for_by_the_next_snapshot(unreadable: str) -> None:
    before = unread.get("tradovate socket", 0)
    [ended] = synchronized().received(unreadable, AT)
    assert isinstance(ended, Reconnect)
    assert not ended.planned
    assert unread["tradovate socket"] == before + 1
    assert data(Feed.QUOTES).received(unreadable, AT) == ()


def test_binary_frames_that_hold_text_are_the_same() -> None:
    frames = recorded("user")
    assert replayed(orders(), [each.encode() for each in frames]) == replayed(orders(), frames)


def test_a_new_order_waits_for_the_command_that_has_its_id() -> None:
    protocol = synchronized()
    assert heard(protocol.received(props("order", sample("order_pending_new")), AT)) == []
    assert heard(protocol.received(props("orderVersion", sample("version_market")), AT)) == []
    [told] = heard(protocol.received(props("command", sample("commands")[0]), AT))
    assert told.client_order_id == "01JDN3V6Q0XH8R2YB4M7C9K5TD-open"


def test_nothing_is_told_twice() -> None:
    protocol = synchronized()
    for kind, name in (("orderVersion", "version_market"), ("command", "commands"), ("order", "order_working")):
        last = protocol.received(props(kind, sample(name)), AT)
    assert len(heard(last)) == 1
    assert heard(protocol.received(props("order", sample("order_working")), AT)) == []
    assert heard(protocol.received(props("commandReport", sample("command_report_risk_passed")), AT)) == []


def test_a_fill_that_is_taken_back_does_not_count() -> None:
    protocol = synchronized()
    for kind, name in (("orderVersion", "version_market"), ("order", "order_working"), ("fill", "fills_complete")):
        protocol.received(props(kind, sample(name)), AT)
    [told] = heard(protocol.received(props("fill", sample("fills_complete")[1], "Deleted"), AT))
    assert (told.view.status, told.view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, 1)


def test_by_account_it_asks_for_the_kinds_that_it_needs() -> None:
    actions = replayed(orders(sync_by="accounts"), recorded("user")[:2])
    body = json.loads(sent(actions)[1].split("\n", 3)[3])
    assert (body["accounts"], body["splitResponses"]) == ([123], False)
    assert "orderVersion" in body["entityTypes"]


def synchronized() -> OrdersProtocol:
    protocol = orders()
    replayed(protocol, recorded("user")[:4])
    return protocol


# --- what both sockets have in common -------------------------------------------------------------------------------------------


def test_it_beats_every_two_and_a_half_seconds_and_takes_silence_for_death() -> None:
    for protocol in (orders(), data(Feed.TICKS)):
        assert protocol.beat() == [Send("[]")]
        assert protocol.beat_s == 2.5
        assert protocol.silence_s == 10
        assert protocol.received("h", AT) == []
    assert orders(silence_s="20").silence_s == 20


def test_a_denied_token_is_the_door_s_business() -> None:
    door = FakeDoor()
    [ended] = replayed(orders(door), ["o", 'a[{"s":401,"i":0,"d":"Access is denied"}]'])[1:]
    assert ended == Reconnect("denied")
    assert door.told == ["denied: Access is denied"]


def test_a_new_token_signs_in_on_the_running_connection() -> None:
    protocol = synchronized()
    actions = protocol.token_changed("token-2")
    assert sent(actions) == ["authorize\n2\n\ntoken-2"]
    assert protocol.received('a[{"s":200,"i":2}]', AT) == []
    [denied] = [*protocol.token_changed("token-3"), *protocol.received('a[{"s":401,"i":3,"d":"Access is denied"}]', AT)][1:]
    assert isinstance(denied, Reconnect)


def test_a_penalty_in_an_answer_is_waited_for_by_counting_beats() -> None:
    protocol = orders()
    replayed(protocol, ["o", 'a[{"s":200,"i":0}]'])
    assert protocol.received(frame({"s": 200, "i": 1, "d": sample("penalty")}), AT) == []
    for _ in range(5):
        assert protocol.beat() == [Send("[]")]
    beat, again = protocol.beat()
    assert isinstance(again, Send)
    assert again.frame == 'user/syncrequest\n1\n\n{"users":[15460],"p-ticket":"11,c2FtcGxlLXRpY2tldA"}'
    assert protocol.beat() == [beat]
    assert protocol.received(recorded("user")[3], AT) == [Ready()]


@pytest.mark.parametrize(
    ("answer", "after_s"),
    [
        ({"s": 200, "i": 1, "d": sample("penalty") | {"p-time": 40}}, 40),
        ({"s": 200, "i": 1, "d": sample("penalty_captcha")}, 3600),
        ({"s": 429, "i": 1}, 3600),
        ({"s": 500, "i": 1, "d": "Internal error"}, 5),
    ],
)
def test_what_takes_longer_ends_the_connection_for_as_long(answer: dict[str, Any], after_s: float) -> None:
    protocol = orders()
    replayed(protocol, ["o", 'a[{"s":200,"i":0}]'])
    [ended] = protocol.received(frame(answer), AT)
    assert isinstance(ended, Reconnect)
    assert ended.after_s == after_s


def test_a_penalty_on_the_sign_in_itself_ends_the_connection_for_as_long() -> None:
    [ended] = replayed(orders(), ["o", frame({"s": 200, "i": 0, "d": sample("penalty")})])[1:]
    assert isinstance(ended, Reconnect)
    assert ended.after_s == 15


@pytest.mark.parametrize("reason", ["ConnectionQuotaReached", "IPQuotaReached"])
def test_too_many_connections_are_not_answered_with_another_one(reason: str) -> None:
    [ended] = synchronized().received(frame({"e": "shutdown", "d": {"reasonCode": reason}}), AT)
    assert isinstance(ended, GiveUp)
    assert not ended.needs_reauth


def test_after_maintenance_it_comes_back() -> None:
    [ended] = synchronized().received(frame({"e": "shutdown", "d": sample("shutdown_maintenance")}), AT)
    assert isinstance(ended, Reconnect)
    assert ended.after_s >= 10


def test_what_answers_and_events_mean_is_the_heirs_to_say() -> None:
    class Silent(SocketProtocol[str]):
        pass

    with pytest.raises(TypeError, match=r"answered.*authorized.*told"):
        Silent("token-1", settings(), FakeDoor())  # type: ignore[abstract]  # that is what is tested


def test_no_token_is_shown_by_what_is_to_be_sent() -> None:
    assert "token-1" not in repr(replayed(orders(), ["o"]))


# --- market data ----------------------------------------------------------------------------------------------------------------


def test_quotes_are_put_together_from_what_has_changed() -> None:
    actions = replayed(data(Feed.QUOTES), recorded("quotes"))
    assert sent(actions) == ["authorize\n0\n\nmd-1", 'md/subscribeQuote\n1\n\n{"symbol":"ESZ6"}']
    quotes = heard(actions)
    assert all(isinstance(each, Quote) and each.symbol == "ESZ6" and each.received_at == AT for each in quotes)
    assert [(each.bid, each.bid_size, each.ask, each.ask_size) for each in quotes] == [
        (Decimal("5000.25"), 7, Decimal("5000.5"), 12),
        (Decimal("5000.25"), 9, Decimal("5000.5"), 12),
        (Decimal("5000.5"), 1, Decimal("5000.75"), 4),
    ]
    assert quotes[0].at.isoformat() == "2026-11-25T15:04:05.588000+00:00"


def test_each_growth_of_the_total_volume_is_one_trade() -> None:
    trades = heard(replayed(data(Feed.TICKS), recorded("quotes")))
    assert all(isinstance(each, Trade) for each in trades)
    assert [(each.price, each.size, each.at.second) for each in trades] == [
        (Decimal("5000.5"), 3, 6),
        (Decimal("5000.5"), 5, 7),
        (Decimal("5010.0"), 1, 59),  # a new session begins
    ]


def test_a_quote_without_a_time_is_counted() -> None:
    before = unread.get("tradovate md", 0)
    replayed(data(Feed.QUOTES), recorded("quotes"))
    assert unread["tradovate md"] == before + 1


def test_the_running_bar_is_final_once_the_next_one_begins() -> None:
    actions = replayed(data(Feed.BARS), recorded("bars"))
    assert json.loads(sent(actions)[1].split("\n", 3)[3])["timeRange"] == {"asMuchAsElements": 1}
    bars = heard(actions)
    assert all(isinstance(each, Bar) and each.symbol == "ESZ6" for each in bars)
    assert [(each.start.minute, each.close, each.volume, each.final) for each in bars] == [
        (3, Decimal("5001.0"), 233, False),
        (3, Decimal("5001.25"), 234, False),
        (3, Decimal("5001.25"), 234, True),
        (4, Decimal("5001.25"), 1, False),
    ]


def test_it_is_ready_when_every_symbol_is_answered() -> None:
    protocol = data(Feed.QUOTES, ["ESZ6", "NQZ6"], IDS | {"NQZ6": 560902})
    replayed(protocol, ["o", 'a[{"s":200,"i":0}]'])
    assert protocol.received('a[{"s":200,"i":2,"d":{}}]', AT) == []
    assert protocol.received('a[{"s":200,"i":1,"d":{}}]', AT) == [Ready()]
    assert replayed(data(Feed.QUOTES, []), ["o", 'a[{"s":200,"i":0}]'])[-1] == Ready()


def test_symbols_change_on_a_running_connection() -> None:
    protocol = data(Feed.QUOTES, ["ESZ6"], IDS | {"NQZ6": 560902})
    replayed(protocol, recorded("quotes")[:3])
    actions = protocol.subscribe(["NQZ6"], ["ESZ6"])
    assert sent(actions) == ['md/subscribeQuote\n2\n\n{"symbol":"NQZ6"}', 'md/unsubscribeQuote\n3\n\n{"symbol":"ESZ6"}']
    assert protocol.received('a[{"s":200,"i":2,"d":{}},{"s":200,"i":3,"d":{}}]', AT) == []


def test_a_contract_whose_id_is_not_known_takes_a_new_connection() -> None:
    protocol = data(Feed.QUOTES)
    replayed(protocol, recorded("quotes")[:3])
    [again] = protocol.subscribe(["NQZ6"], [])
    assert isinstance(again, Reconnect)
    assert again.planned


def test_a_chart_is_cancelled_by_its_live_id() -> None:
    protocol = data(Feed.BARS)
    replayed(protocol, recorded("bars")[:3])
    actions = protocol.subscribe(["NQZ6"], ["ESZ6"])
    assert sent(actions)[1] == 'md/cancelChart\n3\n\n{"subscriptionId":31}'


def test_without_a_licence_the_stream_ends_and_says_so() -> None:
    protocol = data(Feed.QUOTES)
    replayed(protocol, ["o", 'a[{"s":200,"i":0}]'])
    told, forget, _ = protocol.received(frame({"s": 200, "i": 1, "d": sample("no_market_data")}), AT)
    assert isinstance(told, Heard)
    assert isinstance(forget, Forget)
    assert forget.otherwise is not None
    assert "licence" in forget.otherwise.reason
    assert told.event == NoData("ESZ6", forget.otherwise.reason)
    assert not forget.otherwise.needs_reauth


def test_a_symbol_that_tradovate_does_not_have_is_told_and_the_others_go_on() -> None:
    protocol = data(Feed.QUOTES, ["ESZ6", "NQZ6"])
    replayed(protocol, ["o", 'a[{"s":200,"i":0}]'])
    text = "Tradovate gives no data of NQZ6: no such symbol"
    refused = [Heard(NoData("NQZ6", text)), Forget(frozenset({"NQZ6"}), GiveUp(text))]
    assert protocol.received(frame({"s": 404, "i": 2, "d": "no such symbol"}), AT) == refused
    assert protocol.received(frame({"s": 200, "i": 1, "d": {}}), AT) == [Ready()]


def test_a_symbol_that_is_refused_once_it_has_been_left_is_no_news() -> None:
    protocol = data(Feed.QUOTES, ["ESZ6"], IDS | {"NQZ6": 560902})
    replayed(protocol, recorded("quotes")[:3])
    protocol.subscribe(["NQZ6"], [])
    protocol.subscribe([], ["NQZ6"])
    assert protocol.received(frame({"s": 404, "i": 2, "d": "no such symbol"}), AT) == []


@pytest.mark.parametrize(
    "snapshot",
    [{"orders": [{"accountId": 123}, "x", None]}, {"orders": [{"id": "one"}]}, {"orders": 5}],
)
def test_a_snapshot_that_cannot_be_read_ends_the_connection_and_not_the_stream(snapshot: Any) -> None:
    actions = replayed(orders(), ["o", frame({"s": 200, "i": 0}), frame({"s": 200, "i": 1, "d": snapshot})])
    assert isinstance(actions[-1], Ready | Reconnect)


@pytest.mark.parametrize("answer", [{}, None, "chart", {"historicalId": "x", "realtimeId": 1}])
def test_a_chart_without_its_ids_ends_the_connection_and_not_the_stream(answer: Any) -> None:
    actions = replayed(data(Feed.BARS), ["o", frame({"s": 200, "i": 0}), frame({"s": 200, "i": 1, "d": answer})])
    assert isinstance(actions[-1], Reconnect)

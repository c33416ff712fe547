"""What becomes of orders at the paper exchange under normal conditions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fillpath.errors import Unsupported
from fillpath.orders.model import LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, Position, Rejected
from fillpath_brokers.facade import OrderRef
from tests.brokers.paper.exchange import AAPL, ES, PaperExchange, leg, pair, ref, trailing


def test_a_market_order_fills_at_the_price_at_once(exchange: PaperExchange) -> None:
    sent = leg("buy", "2")

    view = exchange.accepted(sent)

    assert view.status is LegStatus.FILLED
    assert (view.filled_quantity, view.average_price, view.commission) == (Decimal(2), Decimal(5900), Decimal("2.50"))
    assert view.filled_at == exchange.clock.now()
    assert view.broker_order_id == f"PAPER-{sent.client_order_id}"
    assert exchange.seen(sent) == view
    assert exchange.broker.positions() == (Position(ES, "ES", Decimal(2), Decimal(5900)),)


def test_a_fill_is_kept_with_its_result(exchange: PaperExchange) -> None:
    exchange.accepted(leg("buy", "2"))
    exchange.trades_at(ES, "5903")
    sent = leg("sell", "2")
    exchange.accepted(sent)

    (fill,) = exchange.books.fills("01PAPER", sent.client_order_id)

    assert (fill["n"], fill["quantity"], fill["price"]) == (1, 2, 5903)
    assert (fill["realised_pnl"], fill["commission"], fill["side"]) == (300, Decimal("2.50"), "sell")
    assert exchange.broker.positions() == ()


def test_a_second_submit_under_the_same_id_answers_with_the_first_order(exchange: PaperExchange) -> None:
    sent = leg("buy", "1")
    first = exchange.accepted(sent)
    exchange.trades_at(ES, "5950")

    assert exchange.accepted(sent) == first
    assert exchange.accepted(sent.model_copy(update={"quantity": Decimal(7)})) == first
    assert exchange.held() == 1


def test_a_second_submit_of_a_working_order_places_nothing(exchange: PaperExchange) -> None:
    sent = leg("buy", "1", limit="5890")

    assert exchange.accepted(sent) == exchange.accepted(sent)
    assert len(exchange.broker.orders()) == 1


def test_an_order_that_was_never_placed_is_not_shown(exchange: PaperExchange) -> None:
    assert exchange.broker.order(OrderRef("01NEVER-main")) is None


def test_a_marketable_limit_fills_at_the_better_price_at_once(exchange: PaperExchange) -> None:
    assert exchange.accepted(leg("buy", "1", limit="5910")).average_price == 5900
    assert exchange.accepted(leg("sell", "1", limit="5890")).average_price == 5900


@pytest.mark.parametrize(("side", "limit", "short_of_it"), [("buy", "5890", "5890.25"), ("sell", "5910", "5909.75")])
def test_a_resting_limit_fills_at_its_limit_once_a_look_finds_the_price_there(
    exchange: PaperExchange, side: str, limit: str, short_of_it: str
) -> None:
    sent = leg(side, "1", limit=limit)
    assert exchange.accepted(sent).status is LegStatus.WORKING

    exchange.trades_at(ES, short_of_it)
    assert exchange.seen(sent).status is LegStatus.WORKING

    exchange.trades_at(ES, limit)
    view = exchange.seen(sent)
    assert (view.status, view.average_price) == (LegStatus.FILLED, Decimal(limit))


def test_a_limit_that_the_price_went_far_through_still_fills_at_its_limit(exchange: PaperExchange) -> None:
    sent = leg("buy", "1", limit="5890")
    exchange.accepted(sent)
    exchange.trades_at(ES, "5850")

    assert exchange.seen(sent).average_price == 5890


@pytest.mark.parametrize(
    ("side", "stop", "short_of_it", "beyond"), [("buy", "5910", "5909.75", "5912"), ("sell", "5890", "5890.25", "5888")]
)
def test_a_stop_triggers_at_its_level_and_fills_at_the_market(
    exchange: PaperExchange, side: str, stop: str, short_of_it: str, beyond: str
) -> None:
    sent = leg(side, "1", stop=stop)
    assert exchange.accepted(sent).status is LegStatus.WORKING

    exchange.trades_at(ES, short_of_it)
    assert exchange.seen(sent).status is LegStatus.WORKING

    exchange.trades_at(ES, beyond)
    view = exchange.seen(sent)
    assert (view.status, view.average_price) == (LegStatus.FILLED, Decimal(beyond))


def test_a_triggered_stop_stays_triggered_when_the_price_comes_back(exchange: PaperExchange) -> None:
    exchange.under("partial_fill", then="complete", after="10")
    sent = leg("buy", "2", stop="5905")
    exchange.accepted(sent)
    exchange.trades_at(ES, "5905")
    assert exchange.seen(sent).filled_quantity == 1

    exchange.trades_at(ES, "5901")
    exchange.wait(10)

    view = exchange.seen(sent)
    assert (view.status, view.average_price) == (LegStatus.FILLED, Decimal(5903))


def test_every_look_moves_the_exchange(exchange: PaperExchange) -> None:
    first, second, third = leg("buy", "1", limit="5890"), leg("buy", "1", limit="5880"), leg("buy", "1", limit="5870")
    for sent in (first, second, third):
        exchange.accepted(sent)

    exchange.trades_at(ES, "5890")
    assert exchange.broker.positions()[0].quantity == 1
    exchange.trades_at(ES, "5880")
    assert [order.client_order_id for order in exchange.broker.orders()] == [third.client_order_id]
    exchange.trades_at(ES, "5870")
    assert exchange.broker.balances().commission == Decimal("3.75")


def test_a_new_order_finds_what_rested_before_it_filled(exchange: PaperExchange) -> None:
    exchange.accepted(leg("buy", "1", limit="5890"))
    exchange.trades_at(ES, "5885")

    view = exchange.accepted(leg("sell", "3", reduce_only=True))

    assert (view.status, view.filled_quantity) == (LegStatus.CANCELLED, Decimal(1))
    assert exchange.held() == 0


def test_many_resting_orders_fill_in_one_look(exchange: PaperExchange) -> None:
    for _ in range(95):
        exchange.accepted(leg("buy", "0.1", AAPL, limit="190"))
    exchange.trades_at(AAPL, "189")

    assert exchange.held(AAPL) == Decimal("9.5")


def test_a_cancelled_order_is_taken_out(exchange: PaperExchange) -> None:
    sent = leg("buy", "1", limit="5890")
    exchange.accepted(sent)

    exchange.broker.cancel(ref(sent))
    exchange.trades_at(ES, "5880")

    view = exchange.seen(sent)
    assert (view.status, view.reason, view.filled_quantity) == (LegStatus.CANCELLED, "cancelled", Decimal(0))
    assert exchange.broker.orders() == ()


def test_a_cancellation_comes_too_late_for_what_the_price_has_gone_through(exchange: PaperExchange) -> None:
    sent = leg("buy", "1", limit="5890")
    exchange.accepted(sent)
    exchange.trades_at(ES, "5890")

    exchange.broker.cancel(ref(sent))

    assert exchange.seen(sent).status is LegStatus.FILLED


def test_cancelling_what_has_ended_or_never_was_changes_nothing(exchange: PaperExchange) -> None:
    sent = leg("buy", "1")
    exchange.accepted(sent)

    exchange.broker.cancel(ref(sent))
    exchange.broker.cancel(OrderRef("01NEVER-main"))

    assert exchange.seen(sent).status is LegStatus.FILLED


def test_working_orders_are_listed_as_they_were_placed(exchange: PaperExchange) -> None:
    first, second = leg("sell", "2", stop="5890", reduce_only=True), leg("buy", "1", limit="5880")
    exchange.accepted(leg("buy", "2"))
    exchange.accepted(first)
    exchange.wait(1)
    exchange.accepted(second)

    stop, limit = exchange.broker.orders()

    assert (stop.client_order_id, stop.type, stop.stop_price, stop.reduce_only) == (
        first.client_order_id,
        OrderType.STOP,
        Decimal(5890),
        True,
    )
    assert (limit.client_order_id, limit.contract, limit.quantity, limit.limit_price) == (
        second.client_order_id,
        ES,
        Decimal(1),
        Decimal(5880),
    )
    assert stop.view.status is limit.view.status is LegStatus.WORKING


class TestReduceOnly:
    def test_it_fills_no_more_than_is_held(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "2"))

        view = exchange.accepted(leg("sell", "5", reduce_only=True))

        assert (view.status, view.filled_quantity, view.reason) == (LegStatus.CANCELLED, Decimal(2), "nothing_to_reduce")
        assert exchange.held() == 0

    @pytest.mark.parametrize("limit", [None, "5950"])
    def test_it_is_cancelled_when_nothing_is_held(self, exchange: PaperExchange, limit: str | None) -> None:
        view = exchange.accepted(leg("sell", "1", limit=limit, reduce_only=True))

        assert (view.status, view.filled_quantity, view.reason) == (LegStatus.CANCELLED, Decimal(0), "nothing_to_reduce")

    def test_it_is_cancelled_when_it_would_add(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))

        assert exchange.accepted(leg("buy", "1", reduce_only=True)).status is LegStatus.CANCELLED
        assert exchange.held() == 1

    def test_a_resting_one_is_capped_by_what_is_held_when_it_fills(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "3"))
        target = leg("sell", "3", limit="5910", reduce_only=True)
        exchange.accepted(target)
        exchange.accepted(leg("sell", "2"))
        exchange.trades_at(ES, "5910")

        view = exchange.seen(target)

        assert (view.status, view.filled_quantity) == (LegStatus.CANCELLED, Decimal(1))
        assert exchange.held() == 0

    def test_of_two_that_are_reached_at_once_only_one_fills(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        first, second = (leg("sell", "1", stop="5890", reduce_only=True) for _ in range(2))
        exchange.accepted(first)
        exchange.accepted(second)
        exchange.trades_at(ES, "5880")

        assert exchange.held() == 0
        assert [exchange.seen(sent).status for sent in (first, second)] == [LegStatus.FILLED, LegStatus.CANCELLED]


class TestTimeInForce:
    def test_a_day_order_expires_at_17_in_new_york(self, exchange: PaperExchange) -> None:
        sent = leg("buy", "1", limit="5890")
        exchange.accepted(sent)

        exchange.clock.set(datetime(2026, 3, 2, 21, 59, 59, tzinfo=UTC))
        assert exchange.seen(sent).status is LegStatus.WORKING
        exchange.clock.set(datetime(2026, 3, 2, 22, tzinfo=UTC))
        exchange.trades_at(ES, "5880")

        view = exchange.seen(sent)
        assert (view.status, view.reason, view.filled_quantity) == (LegStatus.EXPIRED, "end_of_day", Decimal(0))

    def test_a_day_order_of_the_evening_lasts_until_the_next_day(self, exchange: PaperExchange) -> None:
        exchange.clock.set(datetime(2026, 3, 2, 22, tzinfo=UTC))
        sent = leg("buy", "1", limit="5890")
        exchange.accepted(sent)
        exchange.wait(23 * 3600)

        assert exchange.seen(sent).status is LegStatus.WORKING

    def test_a_good_till_cancelled_order_stays(self, exchange: PaperExchange) -> None:
        sent = leg("buy", "1", limit="5890", tif="gtc")
        exchange.accepted(sent)
        exchange.clock.set(exchange.clock.now() + timedelta(days=300))

        assert exchange.seen(sent).status is LegStatus.WORKING

    def test_a_fill_or_kill_order_fills_whole_or_not_at_all(self, exchange: PaperExchange) -> None:
        assert exchange.accepted(leg("buy", "2", limit="5900", tif="fok")).status is LegStatus.FILLED
        short_of_it = exchange.accepted(leg("sell", "3", tif="fok", reduce_only=True))
        away = exchange.accepted(leg("buy", "1", limit="5890", tif="fok"))

        assert (short_of_it.status, short_of_it.reason, short_of_it.filled_quantity) == (LegStatus.CANCELLED, "fill_or_kill", 0)
        assert (away.status, away.reason) == (LegStatus.CANCELLED, "fill_or_kill")
        assert exchange.held() == 2

    def test_of_a_fill_or_kill_order_no_part_fills(self, exchange: PaperExchange) -> None:
        exchange.under("partial_fill")

        assert exchange.accepted(leg("buy", "2", tif="fok")).status is LegStatus.CANCELLED
        assert exchange.accepted(leg("buy", "2", tif="ioc")).filled_quantity == 1
        assert exchange.held() == 1

    def test_an_immediate_or_cancel_order_never_rests(self, exchange: PaperExchange) -> None:
        assert exchange.accepted(leg("buy", "1", limit="5900", tif="ioc")).status is LegStatus.FILLED
        view = exchange.accepted(leg("buy", "1", limit="5890", tif="ioc"))

        assert (view.status, view.reason) == (LegStatus.CANCELLED, "immediate_or_cancel")
        assert exchange.broker.orders() == ()


@pytest.mark.parametrize(
    ("sent", "reason", "text"),
    [
        (leg("buy", "1", "XXZ6"), "invalid_symbol", "Invalid symbol: XXZ6 is not traded here"),
        (leg("buy", "1.5"), "invalid_quantity", "Invalid quantity 1.5: ESH6 trades in steps of 1"),
        (leg("buy", "0"), "invalid_quantity", "Invalid quantity 0: ESH6 trades in steps of 1"),
        (leg("buy", "0.0005", AAPL), "invalid_quantity", "Invalid quantity 0.0005: AAPL trades in steps of 0.001"),
        (leg("buy", "1", limit="5890.1"), "invalid_price", "Invalid limit price 5890.1: ESH6 trades in ticks of 0.25"),
        (leg("buy", "1", stop="-1"), "invalid_price", "A stop order needs a positive stop price"),
        (
            leg("buy", "1", limit="5890").model_copy(update={"limit_price": None}),
            "invalid_price",
            "A limit order needs a positive limit price",
        ),
        (leg("buy", "1", tif="opg"), "unsupported", "Unsupported time in force opg; possible: day, fok, gtc, ioc"),
        (
            leg("buy", "1", stop="5910", type="stop_limit"),
            "invalid_price",
            "A stop_limit order needs a positive limit price",
        ),
        (trailing("sell", "1"), "invalid_price", "A trailing_stop order needs either a trail amount or a trail percent"),
        (
            trailing("sell", "1", amount="5", percent="1"),
            "invalid_price",
            "A trailing_stop order needs either a trail amount or a trail percent",
        ),
        (trailing("sell", "1", percent="100"), "invalid_price", "Invalid trail percent 100: it must be between 0 and 100"),
        (trailing("sell", "1", amount="0.1"), "invalid_price", "Invalid trail amount 0.1: ESH6 trades in ticks of 0.25"),
        (
            leg("sell", "1", limit="5910", type="oco"),
            "invalid_price",
            "An oco order needs a positive stop price",
        ),
        (
            pair("sell", "1", limit="5890", stop="5910"),
            "invalid_price",
            "Invalid stop price 5910: to sell it must be below the limit price",
        ),
        (
            pair("buy", "1", limit="5910", stop="5890"),
            "invalid_price",
            "Invalid stop price 5890: to buy it must be above the limit price",
        ),
        (
            pair("sell", "1", limit="5910", stop="5890", tif="ioc"),
            "unsupported",
            "Unsupported time in force ioc; exits rest: day or gtc",
        ),
        (
            leg("buy", "1", take_profit="5890", stop_loss="5895"),
            "invalid_price",
            "Invalid take profit 5890: it must be above the stop loss",
        ),
        (leg("buy", "1", take_profit="5890"), "invalid_price", "Invalid take profit 5890: it must be above the price, 5900"),
        (leg("sell", "1", stop_loss="5890"), "invalid_price", "Invalid stop loss 5890: it must be above the price, 5900"),
        (
            leg("buy", "1", limit="5890", stop_loss="5890"),
            "invalid_price",
            "Invalid stop loss 5890: it must be below the limit price, 5890",
        ),
        (leg("buy", "1", stop_loss="5890.1"), "invalid_price", "Invalid stop loss 5890.1: ESH6 trades in ticks of 0.25"),
        (
            leg("sell", "1", stop_loss="5910", reduce_only=True),
            "unsupported",
            "Only an entry can have a take profit and a stop loss",
        ),
        (leg("buy", "1", stop_loss="5890", tif="fok"), "unsupported", "Unsupported time in force fok; exits rest: day or gtc"),
    ],
)
def test_what_is_malformed_is_refused_and_not_kept(exchange: PaperExchange, sent, reason: str, text: str) -> None:
    assert exchange.broker.submit(sent) == Rejected(reason, text)
    assert exchange.broker.precheck(sent, Decimal(0)) == Rejected(reason, text)
    assert exchange.broker.order(ref(sent)) is None


def test_fractions_trade_where_the_instrument_allows_them(exchange: PaperExchange) -> None:
    assert isinstance(exchange.broker.submit(leg("buy", "0.125", AAPL)), Accepted)
    assert exchange.held(AAPL) == Decimal("0.125")


def test_symbols_are_understood_in_any_spelling(exchange: PaperExchange) -> None:
    assert exchange.broker.contract("CME_MINI:ES1!").contract == "ESH6"
    assert exchange.broker.supports("NASDAQ:AAPL")
    assert not exchange.broker.supports("ZZZZ")
    with pytest.raises(Unsupported, match="ZZZZ"):
        exchange.broker.contract("ZZZZ")

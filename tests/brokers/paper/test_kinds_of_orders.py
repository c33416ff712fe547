"""Stop limits, trailing stops, exit pairs and entries with exits at the paper exchange."""

from decimal import Decimal

import pytest

from fillpath.orders.model import LegStatus, OrderType
from fillpath.orders.outcomes import LegView
from tests.brokers.paper.exchange import AAPL, ES, PaperExchange, leg, pair, ref, trailing


def bracket(side: str, quantity: str, profit: str | None = "5910", loss: str | None = "5890", **more: str):
    return leg(side, quantity, take_profit=profit, stop_loss=loss, **more)


def figures(view: LegView | None) -> tuple[LegStatus, Decimal, Decimal | None]:
    assert view is not None, "there is no such view"
    return view.status, view.filled_quantity, view.average_price


class TestStopLimit:
    def test_it_rests_at_its_limit_once_it_is_triggered(self, exchange: PaperExchange) -> None:
        sent = leg("buy", "1", stop="5905", limit="5906", type="stop_limit")
        assert exchange.accepted(sent).status is LegStatus.WORKING

        exchange.trades_at(ES, "5908")
        assert exchange.seen(sent).status is LegStatus.WORKING
        exchange.trades_at(ES, "5904")
        assert figures(exchange.seen(sent)) == (LegStatus.FILLED, 1, Decimal(5906))

    def test_it_fills_at_the_price_that_triggers_it_if_that_is_within_its_limit(self, exchange: PaperExchange) -> None:
        sent = leg("sell", "1", stop="5895", limit="5890", type="stop_limit")
        exchange.accepted(sent)
        exchange.trades_at(ES, "5893")

        assert figures(exchange.seen(sent)) == (LegStatus.FILLED, 1, Decimal(5893))

    def test_its_limit_alone_does_not_fill_it(self, exchange: PaperExchange) -> None:
        sent = leg("buy", "1", stop="5905", limit="5906", type="stop_limit")
        exchange.accepted(sent)
        exchange.trades_at(ES, "5890")

        assert exchange.seen(sent).status is LegStatus.WORKING


class TestTrailingStop:
    def test_it_follows_the_best_price_and_never_loosens(self, exchange: PaperExchange) -> None:
        sent = trailing("sell", "1", amount="5")
        exchange.accepted(sent)
        for price in ("5910", "5906", "5908"):
            exchange.trades_at(ES, price)
            assert exchange.seen(sent).status is LegStatus.WORKING

        exchange.trades_at(ES, "5905")

        assert figures(exchange.seen(sent)) == (LegStatus.FILLED, 1, Decimal(5905))

    def test_its_distance_counts_from_its_submission_on(self, exchange: PaperExchange) -> None:
        sent = trailing("buy", "1", amount="5")
        exchange.accepted(sent)
        exchange.trades_at(ES, "5904.75")
        assert exchange.seen(sent).status is LegStatus.WORKING
        exchange.trades_at(ES, "5905")
        assert exchange.seen(sent).status is LegStatus.FILLED

    def test_its_distance_may_be_in_percent_of_the_best_price(self, exchange: PaperExchange) -> None:
        sent = trailing("sell", "1", AAPL, percent="10")
        exchange.accepted(sent)
        exchange.trades_at(AAPL, "300")
        exchange.seen(sent)

        exchange.trades_at(AAPL, "270.01")
        assert exchange.seen(sent).status is LegStatus.WORKING
        exchange.trades_at(AAPL, "270")
        assert exchange.seen(sent).status is LegStatus.FILLED

    def test_where_it_stands_now_is_listed(self, exchange: PaperExchange) -> None:
        exchange.accepted(trailing("sell", "1", amount="5"))
        exchange.trades_at(ES, "5920")

        (order,) = exchange.broker.orders()

        assert (order.type, order.stop_price) == (OrderType.TRAILING_STOP, Decimal(5915))

    def test_one_that_only_reduces_never_opens(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        sent = trailing("sell", "3", amount="5").model_copy(update={"reduce_only": True})
        exchange.accepted(sent)
        exchange.trades_at(ES, "5890")

        assert figures(exchange.seen(sent)) == (LegStatus.CANCELLED, 1, Decimal(5890))
        assert exchange.held() == 0


class TestPair:
    @pytest.mark.parametrize(("price", "filled_at"), [("5912", "5910"), ("5885", "5885")])
    def test_one_fills_and_the_other_is_cancelled(self, exchange: PaperExchange, price: str, filled_at: str) -> None:
        exchange.accepted(leg("buy", "2"))
        sent = pair("sell", "2", limit="5910", stop="5890")
        assert exchange.accepted(sent).status is LegStatus.WORKING

        exchange.trades_at(ES, price)

        view = exchange.seen(sent)
        assert (*figures(view), view.reason) == (LegStatus.FILLED, 2, Decimal(filled_at), None)
        assert (exchange.held(), exchange.broker.orders()) == (0, ())
        exchange.trades_at(ES, "5885" if price == "5912" else "5912")
        assert exchange.held() == 0

    def test_what_one_fills_in_part_is_taken_off_the_other(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "4"))
        exchange.under("partial_fill", fraction="0.25")
        sent = pair("sell", "4", limit="5910", stop="5890")
        exchange.accepted(sent)

        exchange.trades_at(ES, "5910")

        assert figures(exchange.seen(sent)) == (LegStatus.PARTIALLY_FILLED, 1, Decimal(5910))
        limit, stop = exchange.broker.orders()
        assert (limit.type, limit.quantity, limit.view.filled_quantity) == (OrderType.LIMIT, 4, 1)
        assert (stop.type, stop.quantity, stop.view.filled_quantity) == (OrderType.STOP, 3, 0)
        exchange.trades_at(ES, "5890")
        assert figures(exchange.seen(sent)) == (LegStatus.PARTIALLY_FILLED, 2, Decimal(5900))

    def test_cancelling_it_cancels_both(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        sent = pair("sell", "1", limit="5910", stop="5890")
        exchange.accepted(sent)

        exchange.broker.cancel(ref(sent))

        assert (exchange.seen(sent).status, exchange.seen(sent).reason) == (LegStatus.CANCELLED, "cancelled")
        assert exchange.broker.orders() == ()

    def test_it_never_rests_where_nothing_is_held(self, exchange: PaperExchange) -> None:
        view = exchange.accepted(pair("sell", "1", limit="5910", stop="5890"))

        assert (view.status, view.reason) == (LegStatus.CANCELLED, "nothing_to_reduce")
        assert exchange.broker.orders() == ()

    def test_it_ends_with_its_day(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        sent = pair("sell", "1", limit="5910", stop="5890")
        exchange.accepted(sent)
        exchange.wait(86_400)

        assert (exchange.seen(sent).status, exchange.seen(sent).reason) == (LegStatus.EXPIRED, "end_of_day")

    def test_its_id_names_both(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        sent = pair("sell", "1", limit="5910", stop="5890")
        view = exchange.accepted(sent)

        assert view.broker_order_id == f"PAPER-{sent.client_order_id}+PAPER-{sent.client_order_id}~stop"
        assert exchange.shown(view) == exchange.accepted(sent) == view
        assert [order.client_order_id for order in exchange.broker.orders()] == [sent.client_order_id, ""]


class TestBracket:
    def test_its_exits_work_before_and_after_it_has_filled(self, exchange: PaperExchange) -> None:
        sent = bracket("buy", "2", limit="5895")
        view = exchange.accepted(sent)
        assert figures(view.exits) == (LegStatus.WORKING, 0, None)
        exchange.trades_at(ES, "5910")
        assert exchange.shown(view.exits).status is LegStatus.WORKING

        exchange.trades_at(ES, "5895")

        view = exchange.seen(sent)
        assert (view.status, figures(view.exits)) == (LegStatus.FILLED, (LegStatus.WORKING, 0, None))
        assert exchange.held() == 2

    @pytest.mark.parametrize(
        ("side", "price", "filled_at"), [("buy", "5915", "5910"), ("buy", "5888", "5888"), ("sell", "5880", "5890")]
    )
    def test_an_exit_that_is_reached_closes_the_position_and_ends_the_other(
        self, exchange: PaperExchange, side: str, price: str, filled_at: str
    ) -> None:
        profit, loss = ("5910", "5890") if side == "buy" else ("5890", "5910")
        sent = bracket(side, "2", profit, loss)
        view = exchange.accepted(sent)
        assert view.status is LegStatus.FILLED

        exchange.trades_at(ES, price)

        assert figures(exchange.shown(view.exits)) == (LegStatus.FILLED, 2, Decimal(filled_at))
        assert figures(exchange.seen(sent).exits) == (LegStatus.FILLED, 2, Decimal(filled_at))
        assert (exchange.held(), exchange.broker.orders()) == (0, ())

    @pytest.mark.parametrize(("profit", "loss", "price"), [("5910", None, "5910"), (None, "5890", "5890")])
    def test_one_exit_is_enough(self, exchange: PaperExchange, profit: str | None, loss: str | None, price: str) -> None:
        view = exchange.accepted(bracket("buy", "1", profit, loss))
        assert "+" not in ((view.exits and view.exits.broker_order_id) or "+")

        exchange.trades_at(ES, price)

        assert figures(exchange.shown(view.exits)) == (LegStatus.FILLED, 1, Decimal(price))

    def test_exits_are_as_large_as_what_the_entry_has_filled(self, exchange: PaperExchange) -> None:
        exchange.under("partial_fill", fraction="0.25", times="1")
        sent = bracket("buy", "4")
        view = exchange.accepted(sent)
        assert (view.status, view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, 1)

        exchange.trades_at(ES, "5910")

        assert figures(exchange.shown(view.exits)) == (LegStatus.PARTIALLY_FILLED, 1, Decimal(5910))
        assert exchange.held() == 0

    def test_exits_grow_with_the_entry(self, exchange: PaperExchange) -> None:
        exchange.under("partial_fill", fraction="0.25", then="complete", after="10", times="1")
        view = exchange.accepted(bracket("buy", "4"))
        exchange.wait(10)
        assert exchange.held() == 4

        exchange.trades_at(ES, "5890")

        assert figures(exchange.shown(view.exits)) == (LegStatus.FILLED, 4, Decimal(5890))

    def test_cancelling_an_entry_that_has_filled_nothing_cancels_its_exits(self, exchange: PaperExchange) -> None:
        sent = bracket("buy", "1", limit="5895")
        view = exchange.accepted(sent)

        exchange.broker.cancel(ref(sent))

        assert exchange.shown(view.exits).status is exchange.seen(sent).status is LegStatus.CANCELLED
        assert exchange.broker.orders() == ()

    def test_cancelling_the_rest_of_an_entry_leaves_exits_for_what_it_has_filled(self, exchange: PaperExchange) -> None:
        exchange.under("partial_fill", fraction="0.25", times="1")
        sent = bracket("buy", "4")
        view = exchange.accepted(sent)

        exchange.broker.cancel(ref(sent))
        assert [order.quantity for order in exchange.broker.orders()] == [1, 1]
        exchange.trades_at(ES, "5890")

        assert figures(exchange.shown(view.exits)) == (LegStatus.FILLED, 1, Decimal(5890))
        assert exchange.held() == 0

    def test_cancelling_the_exits_leaves_the_position(self, exchange: PaperExchange) -> None:
        sent = bracket("buy", "1")
        view = exchange.accepted(sent)

        exchange.broker.cancel(ref(sent, view.exits))

        assert figures(exchange.shown(view.exits)) == (LegStatus.CANCELLED, 0, None)
        assert (exchange.seen(sent).status, exchange.held()) == (LegStatus.FILLED, 1)

    def test_exits_never_turn_a_position_that_somebody_else_has_closed(self, exchange: PaperExchange) -> None:
        view = exchange.accepted(bracket("buy", "2"))
        exchange.accepted(leg("sell", "2"))
        exchange.trades_at(ES, "5880")

        assert exchange.held() == 0
        assert exchange.shown(view.exits).reason == "nothing_to_reduce"

    def test_exits_of_a_partly_filled_entry_wait_where_there_is_nothing_to_reduce(self, exchange: PaperExchange) -> None:
        exchange.under("partial_fill", fraction="0.25", then="complete", after="10", times="1")
        view = exchange.accepted(bracket("buy", "4"))
        exchange.accepted(leg("sell", "1"))
        for price in ("5880", "5915"):
            exchange.trades_at(ES, price)
            assert figures(exchange.shown(view.exits)) == (LegStatus.WORKING, 0, None)

        exchange.wait(10)

        assert exchange.shown(view.exits).filled_quantity == 3
        assert exchange.held() == 0

    def test_an_entry_that_jumps_over_its_profit_takes_it_at_once(self, exchange: PaperExchange) -> None:
        sent = bracket("buy", "1", stop="5905")
        view = exchange.accepted(sent)

        exchange.trades_at(ES, "5912")

        assert figures(exchange.seen(sent)) == (LegStatus.FILLED, 1, Decimal(5912))
        assert figures(exchange.shown(view.exits)) == (LegStatus.FILLED, 1, Decimal(5912))

    def test_sending_it_twice_places_it_once(self, exchange: PaperExchange) -> None:
        sent = bracket("buy", "1")

        assert exchange.accepted(sent) == exchange.accepted(sent)
        assert (exchange.held(), len(exchange.broker.orders())) == (1, 2)

    def test_its_exits_are_listed_without_a_client_order_id(self, exchange: PaperExchange) -> None:
        view = exchange.accepted(bracket("buy", "1", limit="5895"))

        entry, limit, stop = exchange.broker.orders()

        assert (entry.type, limit.type, stop.type) == (OrderType.LIMIT, OrderType.LIMIT, OrderType.STOP)
        assert (limit.limit_price, stop.stop_price, limit.reduce_only, stop.reduce_only) == (5910, 5890, True, True)
        assert (limit.client_order_id, stop.client_order_id) == ("", "")
        assert view.exits
        assert view.exits.broker_order_id == f"{limit.view.broker_order_id}+{stop.view.broker_order_id}"

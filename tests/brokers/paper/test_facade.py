"""What the paper venue answers beyond placing, looking and cancelling: changes, fills, the whole account, names."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fillpath.errors import BrokerUnavailable, StorageUnavailable, Unsupported
from fillpath.market.bars import Interval
from fillpath.market.instruments import instruments
from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import Accepted, LegView, RateLimited, Rejected, Unknown
from fillpath_brokers.facade import Broker, Change, Feed, OrderRef
from tests.brokers.paper.exchange import AAPL, ACCOUNT, ES, PaperExchange, leg, pair, ref, trailing
from tests.brokers.paper.test_contention import FaultyBookStore

D = Decimal


def changed(exchange: PaperExchange, which: OrderRef, **change: str) -> LegView:
    outcome = exchange.broker.replace(which, Change(**{key: D(value) for key, value in change.items()}))
    assert isinstance(outcome, Accepted), outcome
    return outcome.view


def refused(exchange: PaperExchange, which: OrderRef, **change: str) -> tuple[str, str]:
    outcome = exchange.broker.replace(which, Change(**{key: D(value) for key, value in change.items()}))
    assert isinstance(outcome, Rejected), outcome
    return outcome.reason, outcome.text


class TestReplace:
    def test_a_limit_is_moved_and_the_order_keeps_its_id(self, exchange: PaperExchange) -> None:
        sent = leg("buy", "1", limit="5890")
        first = exchange.accepted(sent)

        assert changed(exchange, ref(sent), limit_price="5895") == first
        exchange.trades_at(ES, "5895")

        assert exchange.seen(sent).average_price == 5895

    def test_a_limit_that_is_moved_through_the_price_fills_at_the_price(self, exchange: PaperExchange) -> None:
        sent = leg("buy", "1", limit="5890")
        exchange.accepted(sent)

        view = changed(exchange, ref(sent), limit_price="5905")

        assert (view.status, view.average_price) == (LegStatus.FILLED, 5900)

    def test_a_stop_is_moved(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        sent = leg("sell", "1", stop="5880", reduce_only=True)
        exchange.accepted(sent)
        changed(exchange, ref(sent), stop_price="5890")
        exchange.trades_at(ES, "5889")

        assert exchange.seen(sent).average_price == 5889

    def test_the_quantity_is_the_whole_with_what_is_filled(self, exchange: PaperExchange) -> None:
        exchange.under("partial_fill", fraction="0.5", times="1")
        sent = leg("buy", "4", limit="5900")
        assert exchange.accepted(sent).filled_quantity == 2

        assert refused(exchange, ref(sent), quantity="2") == ("invalid_quantity", "Invalid quantity 2: 2 of it has been filled")
        changed(exchange, ref(sent), quantity="3")

        assert exchange.broker.orders()[0].quantity == 3

    def test_what_has_been_reached_before_fills_first(self, exchange: PaperExchange) -> None:
        sent = leg("buy", "1", limit="5890")
        exchange.accepted(sent)
        exchange.trades_at(ES, "5890")

        assert refused(exchange, ref(sent), limit_price="5880")[0] == "not_working"
        assert exchange.seen(sent).status is LegStatus.FILLED

    def test_both_of_a_pair_are_changed_at_once(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "3"))
        view = exchange.accepted(pair("sell", "3", limit="5910", stop="5890"))

        changed(exchange, OrderRef("", view.broker_order_id), limit_price="5915", stop_price="5885", quantity="2")

        limit, stop = exchange.broker.orders()
        assert (limit.limit_price, stop.stop_price, limit.quantity, stop.quantity) == (5915, 5885, 2, 2)

    def test_the_exits_of_an_entry_follow_its_quantity(self, exchange: PaperExchange) -> None:
        sent = leg("buy", "2", limit="5895", take_profit="5910", stop_loss="5890")
        view = exchange.accepted(sent)
        changed(exchange, ref(sent), quantity="3")
        exchange.trades_at(ES, "5895")
        assert exchange.held() == 3
        exchange.trades_at(ES, "5890")

        assert (exchange.shown(view.exits).filled_quantity, exchange.held()) == (3, 0)

    def test_what_cannot_be_changed_is_refused_and_stays(self, exchange: PaperExchange) -> None:
        limit, trail = leg("buy", "1", limit="5890"), trailing("sell", "1", amount="5")
        entry = leg("buy", "1", limit="5880", stop_loss="5870")
        for sent in (limit, trail):
            exchange.accepted(sent)
        exits = exchange.accepted(entry).exits

        assert refused(exchange, ref(limit), limit_price="5890.1")[0] == "invalid_price"
        assert refused(exchange, ref(limit), quantity="1.5")[0] == "invalid_quantity"
        assert refused(exchange, ref(limit), stop_price="5910") == (
            "unsupported",
            "the order has no stop price that could be changed",
        )
        assert refused(exchange, ref(limit), quantity="100000")[0] == "insufficient_margin"
        assert refused(exchange, ref(trail), stop_price="5890")[0] == "unsupported"
        assert refused(exchange, ref(entry, exits), quantity="2")[0] == "unsupported"
        assert refused(exchange, OrderRef("01NEVER-main"), quantity="2")[0] == "not_found"
        first = exchange.broker.orders()[0]
        assert (first.quantity, first.limit_price) == (1, 5890)

    @pytest.mark.parametrize(("when", "outcome"), [("reading", RateLimited), ("after", Unknown)])
    def test_a_store_that_does_not_answer_is_told_as_what_it_means(self, when: str, outcome: type) -> None:
        books = FaultyBookStore()
        exchange, sent = PaperExchange(books), leg("buy", "1", limit="5890")
        exchange.accepted(sent)
        getattr(books, when).append(StorageUnavailable("no answer"))

        assert isinstance(exchange.broker.replace(ref(sent), Change(limit_price=D(5895))), outcome)


class TestFills:
    def test_they_are_told_the_oldest_first_from_an_instant_on(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        exchange.wait(60)
        since = exchange.clock.now()
        second = leg("buy", "2", AAPL)
        exchange.accepted(second)
        exchange.wait(60)
        third = leg("sell", "1")
        exchange.accepted(third)

        found = exchange.broker.fills(since)

        assert [(fill.broker_order_id, fill.contract, fill.quantity, fill.price) for fill in found] == [
            (f"PAPER-{second.client_order_id}", AAPL, 2, 200),
            (f"PAPER-{third.client_order_id}", ES, 1, 5900),
        ]
        assert len({fill.execution_id for fill in found}) == 2
        assert found[0].at == since

    def test_those_of_one_instant_are_told_as_they_happened(self, exchange: PaperExchange) -> None:
        made = [leg("buy", quantity) for quantity in "123"]
        for each in reversed(made):  # the order of the ids is not that of the fills
            exchange.accepted(each)

        found = [fill.broker_order_id for fill in exchange.broker.fills(exchange.clock.now())]

        assert found == [f"PAPER-{each.client_order_id}" for each in reversed(made)]

    def test_asking_for_them_is_a_look(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1", limit="5890"))
        exchange.trades_at(ES, "5889")

        assert [fill.price for fill in exchange.broker.fills(datetime(2020, 1, 1, tzinfo=UTC))] == [5890]

    def test_a_pair_tells_which_of_the_two_filled(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        view = exchange.accepted(pair("sell", "1", limit="5910", stop="5890"))
        exchange.trades_at(ES, "5890")

        last = exchange.broker.fills(exchange.clock.now() - timedelta(days=1))[-1]

        assert last.broker_order_id == str(view.broker_order_id).split("+")[1]


class TestWholeAccount:
    def test_every_working_order_is_cancelled(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "1"))
        exchange.accepted(pair("sell", "1", limit="5910", stop="5890"))
        entry = exchange.accepted(leg("buy", "1", limit="5880", take_profit="5990"))
        for _ in range(95):
            exchange.accepted(leg("buy", "0.1", AAPL, limit="190"))

        exchange.broker.cancel_all()

        assert exchange.broker.orders() == ()
        assert exchange.shown(entry).status is LegStatus.CANCELLED
        assert exchange.held() == 1

    def test_a_position_is_closed_at_the_market(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("sell", "3"))
        exchange.accepted(leg("buy", "1", AAPL))

        exchange.broker.liquidate(ES)
        exchange.broker.liquidate(ES)

        assert (exchange.held(), exchange.held(AAPL)) == (0, 1)

    def test_where_nothing_is_held_nothing_happens(self, exchange: PaperExchange) -> None:
        for contract in (ES, "XXZ6"):
            exchange.broker.liquidate(contract)

        assert exchange.broker.fills(datetime(2020, 1, 1, tzinfo=UTC)) == ()

    def test_it_reaches_one_account(self, exchange: PaperExchange) -> None:
        (account,) = exchange.broker.accounts()

        assert (account.account_id, account.currency, account.trades) == (ACCOUNT, "USD", {"future", "equity", "crypto"})

    def test_a_store_that_does_not_answer_is_told(self) -> None:
        books = FaultyBookStore()
        broker = PaperExchange(books).broker
        for ask in (broker.cancel_all, lambda: broker.liquidate(ES), lambda: broker.fills(datetime(2020, 1, 1, tzinfo=UTC))):
            books.reading = [StorageUnavailable("no answer")]
            with pytest.raises(BrokerUnavailable):
                ask()


def test_symbols_are_spelled_as_in_the_catalogue(exchange: PaperExchange) -> None:
    for symbol in (*instruments(), "ESZ6", "6EH7"):
        assert exchange.broker.to_canonical(exchange.broker.to_venue(symbol)) == symbol
    for ask in (exchange.broker.to_venue, exchange.broker.to_canonical):
        with pytest.raises(Unsupported, match="ZZZZ9"):
            ask("ZZZZ9")


def test_what_it_cannot_do_is_unsupported_as_its_capabilities_say(exchange: PaperExchange) -> None:
    broker: Broker = exchange.broker
    able, now = broker.capabilities, exchange.clock.now()
    assert not any((able.front_month, able.history, able.can_stream_data, able.can_stream_orders))
    for ask in (
        lambda: broker.front_month("ES"),
        lambda: broker.history("ES", now, now, Interval.MINUTE),
        lambda: broker.stream(["ES"], Feed.TICKS),
        lambda: broker.update_subscription(Feed.TICKS, add=["ES"]),
        broker.order_updates,
    ):
        with pytest.raises(Unsupported):
            ask()

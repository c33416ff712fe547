from decimal import Decimal

import pytest

from fillpath.orders.outcomes import Rejected
from fillpath_brokers.exchange import scenario
from fillpath_brokers.facade import Balances
from tests.brokers.paper.exchange import AAPL, ES, PaperExchange, leg


def test_balances_show_worth_and_what_is_tied_up(exchange: PaperExchange) -> None:
    exchange.accepted(leg("buy", "2"))
    exchange.accepted(leg("buy", "100", AAPL))
    exchange.accepted(leg("sell", "1"))
    exchange.trades_at(ES, "5904")
    exchange.trades_at(AAPL, "190")

    assert exchange.broker.balances() == Balances(
        currency="USD",
        cash=Decimal("979996.25"),
        equity=Decimal("999196.25"),
        margin_used=Decimal(32_000),
        realised_pnl=Decimal(0),
        unrealised_pnl=Decimal(-800),
        commission=Decimal("3.75"),
    )


def test_futures_beyond_the_equity_are_refused_with_both_figures(exchange: PaperExchange) -> None:
    assert exchange.broker.submit(leg("buy", "77")) == Rejected(
        "insufficient_margin", "Insufficient margin: 1,001,000.00 USD required, 1,000,000.00 USD available"
    )
    exchange.accepted(leg("buy", "76"))


def test_what_is_held_already_counts(exchange: PaperExchange) -> None:
    exchange.accepted(leg("sell", "76"))

    assert isinstance(exchange.broker.submit(leg("sell", "1")), Rejected)
    assert isinstance(exchange.broker.submit(leg("buy", "1000", AAPL)), Rejected)


def test_a_loss_leaves_less_to_trade_with(exchange: PaperExchange) -> None:
    exchange.accepted(leg("buy", "38"))
    exchange.trades_at(ES, "5600")

    assert isinstance(exchange.broker.submit(leg("buy", "1")), Rejected)


def test_reducing_needs_no_margin_however_bad_the_account_is(exchange: PaperExchange) -> None:
    exchange.accepted(leg("buy", "76"))
    exchange.trades_at(ES, "5000")

    assert exchange.broker.precheck(leg("sell", "76"), Decimal(0)) is None
    exchange.accepted(leg("sell", "76"))
    assert exchange.held() == 0


def test_shares_need_cash_in_full_and_short_ones_half(exchange: PaperExchange) -> None:
    assert isinstance(exchange.broker.submit(leg("buy", "5000.001", AAPL)), Rejected)
    assert isinstance(exchange.broker.submit(leg("sell", "10000.001", AAPL)), Rejected)
    exchange.accepted(leg("sell", "10000", AAPL))
    assert exchange.broker.balances().margin_used == 1_000_000


def test_a_flip_needs_margin_for_what_it_opens(exchange: PaperExchange) -> None:
    exchange.accepted(leg("buy", "50"))

    assert isinstance(exchange.broker.submit(leg("sell", "130")), Rejected)
    exchange.accepted(leg("sell", "120"))
    assert exchange.held() == -70


def test_a_flip_to_the_same_size_is_no_reduction(exchange: PaperExchange) -> None:
    exchange.accepted(leg("buy", "70"))
    exchange.trades_at(ES, "5850")

    assert isinstance(exchange.broker.submit(leg("sell", "140")), Rejected)


class TestPrecheck:
    def test_it_counts_on_the_close_that_comes_first(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("buy", "70"))

        assert exchange.broker.precheck(leg("sell", "76"), Decimal(70)) is None
        assert isinstance(exchange.broker.precheck(leg("sell", "77"), Decimal(70)), Rejected)
        assert exchange.held() == 70

    def test_without_the_close_the_same_leg_would_end_elsewhere(self, exchange: PaperExchange) -> None:
        exchange.accepted(leg("sell", "70"))

        assert isinstance(exchange.broker.precheck(leg("sell", "76"), Decimal(0)), Rejected)
        assert exchange.broker.precheck(leg("buy", "76"), Decimal(-70)) is None

    def test_every_held_contract_of_the_root_is_closed(self, exchange: PaperExchange) -> None:
        exchange.trades_at("ESM6", "5950")
        exchange.accepted(leg("buy", "35"))
        exchange.accepted(leg("buy", "35", "ESM6"))

        assert exchange.broker.precheck(leg("sell", "76", "ESM6"), Decimal(70)) is None

    def test_a_contract_held_the_other_way_stays(self, exchange: PaperExchange) -> None:
        exchange.trades_at("ESM6", "5950")
        exchange.accepted(leg("sell", "30", "ESM6"))
        exchange.accepted(leg("buy", "35"))

        assert exchange.broker.precheck(leg("sell", "46", "ESM6"), Decimal(35)) is None
        assert isinstance(exchange.broker.precheck(leg("sell", "47", "ESM6"), Decimal(35)), Rejected)

    @pytest.mark.parametrize("reason", ["insufficient_margin", "market_closed", "invalid_symbol", "position_mode"])
    def test_it_honours_a_scenario_that_rejects(self, exchange: PaperExchange, reason: str) -> None:
        exchange.under("reject", reason=reason, leg="open", times="1")
        sent = leg("sell", "1", name="open")

        refusal = exchange.broker.precheck(sent, Decimal(0))

        assert refusal is not None
        assert refusal == exchange.broker.precheck(sent, Decimal(0)), "asking uses nothing up"
        assert refusal == exchange.broker.submit(sent)
        assert exchange.broker.precheck(sent, Decimal(0)) is None
        assert refusal.reason == reason

    def test_it_can_be_kept_out_so_that_the_open_fails_after_the_close(self, exchange: PaperExchange) -> None:
        exchange.under("reject=market_closed", leg="open", precheck="false")
        sent = leg("sell", "1", name="open")

        assert exchange.broker.precheck(sent, Decimal(0)) is None
        assert isinstance(exchange.broker.submit(sent), Rejected)

    def test_a_rate_limit_is_no_reason_to_refuse(self, exchange: PaperExchange) -> None:
        exchange.broker.set_scenario(scenario.parse("reject=rate_limited"))

        assert exchange.broker.precheck(leg("buy", "1"), Decimal(0)) is None

"""What every venue does with the orders that it declares to take: adapters over HTTP against simulators, and the paper venue."""

from datetime import timedelta

import pytest

from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView, Unknown
from fillpath_brokers.facade import Change, OrderRef
from tests.contract.broker_bench import Bench
from tests.contract.venues import at_venues, submit_with
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

W, P, F, C = LegStatus.WORKING, LegStatus.PARTIALLY_FILLED, LegStatus.FILLED, LegStatus.CANCELLED


def exits_of(view: LegView) -> LegView:
    assert view.exits is not None, "a bracket shows its exits"
    assert view.exits.broker_order_id
    return view.exits


# --- the account ----------------------------------------------------------------------------------------------------------------


@at_venues()
def test_the_credentials_reach_an_account(at: Bench) -> None:
    assert at.broker.accounts()


@at_venues()
def test_an_account_begins_flat_and_worth_something(at: Bench) -> None:
    assert at.broker.positions() == ()
    assert at.broker.orders() == ()
    assert at.broker.balances().equity > 0


# --- orders ---------------------------------------------------------------------------------------------------------------------


@at_venues()
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_market_order_fills_and_shows_as_a_position(at: Bench, side: str) -> None:
    view = at.filled(at.leg(side, "2"))
    assert (view.filled_quantity, view.average_price) == (2, at.price)
    assert view.filled_at is not None
    assert at.held() == 2 * Side(side).sign


@at_venues()
def test_an_order_is_found_by_its_own_id_and_by_ours(at: Bench) -> None:
    leg = at.leg()
    broker_order_id = at.accepted(leg).broker_order_id
    assert broker_order_id
    by_id, by_leg = at.becomes(leg, F, broker_order_id=broker_order_id), at.becomes(leg, F)
    assert by_id.broker_order_id == by_leg.broker_order_id == broker_order_id
    assert by_id.filled_quantity == by_leg.filled_quantity == 2


@at_venues()
def test_an_order_that_was_never_sent_is_not_shown(at: Bench) -> None:
    at.filled(at.leg("buy", "3"))
    leg = at.leg("buy", "2")
    assert at.broker.order(OrderRef(leg.client_order_id, None, leg)) is None


@at_venues()
def test_a_limit_order_rests_and_fills_at_its_price(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-8))
    at.accepted(leg)
    assert at.becomes(leg, W).filled_quantity == 0
    [listed] = at.broker.orders()
    assert (listed.contract, listed.side, listed.quantity, listed.limit_price) == (at.contract, Side.BUY, 2, at.away(-8))
    at.trades_at(at.away(-9))
    assert at.becomes(leg, F).average_price == at.away(-8)
    assert at.broker.orders() == ()


@at_venues(lambda known: OrderType.STOP in known.order_types)
def test_a_stop_order_waits_for_its_price(at: Bench) -> None:
    at.hold(2)
    leg = at.leg("sell", type=OrderType.STOP, stop_price=at.away(-8), reduce_only=True)
    at.accepted(leg)
    assert at.becomes(leg, W).filled_quantity == 0
    at.trades_at(at.away(-8))
    assert at.becomes(leg, F).average_price == at.away(-8)
    assert at.held() == 0


@at_venues(lambda known: OrderType.STOP_LIMIT in known.order_types)
def test_a_stop_limit_order_becomes_a_limit_order(at: Bench) -> None:
    leg = at.leg(type=OrderType.STOP_LIMIT, stop_price=at.away(8), limit_price=at.away(9))
    at.accepted(leg)
    at.trades_at(at.away(20))
    assert at.becomes(leg, W).filled_quantity == 0
    at.trades_at(at.away(9))
    assert at.becomes(leg, F).average_price == at.away(9)


@at_venues(lambda known: OrderType.TRAILING_STOP in known.order_types)
def test_a_trailing_stop_follows_the_price(at: Bench) -> None:
    at.hold(2)
    leg = at.leg("sell", type=OrderType.TRAILING_STOP, trail_amount=10 * at.tick, reduce_only=True)
    at.accepted(leg)
    at.trades_at(at.away(20))
    until(lambda: at.seen(leg).status is W)
    at.trades_at(at.away(11))
    assert at.becomes(leg, W).filled_quantity == 0
    at.trades_at(at.away(10))
    assert at.becomes(leg, F).filled_quantity == 2


@at_venues()
def test_a_cancelled_order_ends_and_cancelling_again_is_no_error(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-40))
    ref = OrderRef(leg.client_order_id, at.accepted(leg).broker_order_id, leg)
    at.broker.cancel(ref)
    assert at.becomes(leg, C).filled_quantity == 0
    at.broker.cancel(ref)
    assert at.seen(leg).status is C


@at_venues()
def test_cancelling_what_has_filled_changes_nothing(at: Bench) -> None:
    leg = at.leg()
    view = at.filled(leg)
    at.broker.cancel(OrderRef(leg.client_order_id, view.broker_order_id, leg))
    assert at.seen(leg, view.broker_order_id).status is F


@at_venues(lambda known: known.replace)
def test_a_working_order_can_be_changed(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-40))
    first = at.accepted(leg).broker_order_id
    outcome = at.broker.replace(OrderRef(leg.client_order_id, first, leg), Change(limit_price=at.away(-4)))
    assert isinstance(outcome, Accepted), outcome
    changed = outcome.view.broker_order_id or first
    until(lambda: [each.limit_price for each in at.broker.orders()], lambda prices: prices == [at.away(-4)])
    names = (first, None) if at.broker.capabilities.client_order_ids else (first,)
    for name in names:
        assert (at.seen(leg, name).status, at.seen(leg, name).broker_order_id) == (W, changed)
    at.trades_at(at.away(-5))
    assert at.becomes(leg, F, broker_order_id=changed).average_price == at.away(-4)
    assert [at.seen(leg, name).status for name in names] == [F] * len(names)
    assert at.held() == 2


@at_venues()
def test_a_partial_fill_is_cumulative(at: Bench) -> None:
    at.simulator.exchange.set_fill_mode("partial_fill", fraction="0.5", then="never")
    leg = at.leg(quantity="4")
    at.accepted(leg)
    view = at.becomes(leg, P)
    assert (view.filled_quantity, at.held()) == (2, 2)
    at.broker.cancel(OrderRef(leg.client_order_id, view.broker_order_id, leg))
    ended = at.becomes(leg, C)
    assert (ended.filled_quantity, ended.average_price) == (2, at.price)


@at_venues()
def test_fills_are_listed(at: Bench) -> None:
    since = at.services.clock.now() - timedelta(seconds=5)
    first, second = at.filled(at.leg("buy", "3")), at.filled(at.leg("sell", "1", reduce_only=True))
    fills = until(lambda: at.broker.fills(since), lambda found: len(found) >= 2)
    assert [(each.side, each.quantity, each.price, each.contract) for each in fills] == [
        (Side.BUY, 3, at.price, at.contract),
        (Side.SELL, 1, at.price, at.contract),
    ]
    assert [each.broker_order_id for each in fills] == [first.broker_order_id, second.broker_order_id]
    assert len({each.execution_id for each in fills}) == 2


# --- brackets and pairs ---------------------------------------------------------------------------------------------------------


@at_venues(lambda known: known.bracket)
def test_a_bracket_shows_its_exits_and_the_target_ends_it(at: Bench) -> None:
    leg = at.entry()
    exits = exits_of(at.accepted(leg))
    at.becomes(leg, F)
    pair = at.exits_leg(leg)
    at.trades_at(at.away(11))
    view = at.becomes(pair, F, broker_order_id=exits.broker_order_id)
    assert (view.filled_quantity, view.average_price) == (2, at.away(10))
    until(at.held, lambda held: held == 0)
    until(at.broker.orders, lambda orders: orders == ())


@at_venues(lambda known: known.bracket)
def test_the_stop_of_a_bracket_ends_it_too(at: Bench) -> None:
    leg = at.leg("sell", take_profit=at.away(-10), stop_loss=at.away(10))
    exits = exits_of(at.accepted(leg))
    at.becomes(leg, F)
    assert at.held() == -2
    at.trades_at(at.away(10))
    assert at.becomes(at.exits_leg(leg), F, broker_order_id=exits.broker_order_id).average_price == at.away(10)
    until(at.held, lambda held: held == 0)
    until(at.broker.orders, lambda orders: orders == ())


@at_venues(lambda known: known.bracket)
@pytest.mark.parametrize("level", ["take_profit", "stop_loss"])
def test_a_bracket_may_have_one_exit_only(at: Bench, level: str) -> None:
    price = at.away(10 if level == "take_profit" else -10)
    leg = at.leg(**{level: price})
    exits = exits_of(at.accepted(leg))
    at.becomes(leg, F)
    at.trades_at(price)
    assert at.becomes(at.exits_leg(leg), F, broker_order_id=exits.broker_order_id).filled_quantity == 2
    until(at.held, lambda held: held == 0)


@at_venues(lambda known: known.bracket, http=True)
def test_the_exits_of_a_bracket_whose_answer_was_lost_are_found(at: Bench) -> None:
    leg = at.entry()
    assert isinstance(submit_with(at, leg, {"drop": True, "when": "after"}), Unknown)
    exits = exits_of(at.becomes(leg, F))
    at.trades_at(at.away(-10))
    assert at.becomes(at.exits_leg(leg), F, broker_order_id=exits.broker_order_id).filled_quantity == 2


@at_venues(lambda known: known.bracket)
def test_the_exits_end_with_an_entry_that_never_filled(at: Bench) -> None:
    leg = at.leg(
        type=OrderType.LIMIT, limit_price=at.away(-20), take_profit=at.away(10), stop_loss=at.away(-40), time_in_force="gtc"
    )
    accepted = at.accepted(leg)
    exits = exits_of(accepted)
    assert at.seen(at.exits_leg(leg), exits.broker_order_id).status is W
    at.broker.cancel(OrderRef(leg.client_order_id, accepted.broker_order_id, leg))
    at.becomes(leg, C)
    assert at.becomes(at.exits_leg(leg), C, broker_order_id=exits.broker_order_id).filled_quantity == 0
    until(at.broker.orders, lambda orders: orders == ())


@at_venues(lambda known: known.bracket)
def test_cancelling_the_exits_cancels_both_and_leaves_the_position(at: Bench) -> None:
    leg = at.entry()
    exits = exits_of(at.accepted(leg))
    at.becomes(leg, F)
    pair = at.exits_leg(leg)
    at.broker.cancel(OrderRef(pair.client_order_id, exits.broker_order_id, pair))
    assert at.becomes(pair, C, broker_order_id=exits.broker_order_id).filled_quantity == 0
    until(at.broker.orders, lambda orders: orders == ())
    assert at.held() == 2


@at_venues(lambda known: known.oco)
@pytest.mark.parametrize("ticks", [10, -10])
def test_an_exit_pair_exits_once(at: Bench, ticks: int) -> None:
    at.hold(2)
    leg = at.leg("sell", type=OrderType.OCO, limit_price=at.away(10), stop_price=at.away(-10), reduce_only=True, name="protect-1")
    broker_order_id = at.accepted(leg).broker_order_id
    assert at.becomes(leg, W, broker_order_id=broker_order_id).filled_quantity == 0
    at.trades_at(at.away(ticks))
    view = at.becomes(leg, F, broker_order_id=broker_order_id)
    assert (view.filled_quantity, view.average_price) == (2, at.away(ticks))
    until(at.held, lambda held: held == 0)
    until(at.broker.orders, lambda orders: orders == ())


@at_venues(lambda known: known.oco, http=True)
def test_an_exit_pair_whose_answer_was_lost_is_found(at: Bench) -> None:
    at.hold(2)
    leg = at.leg("sell", type=OrderType.OCO, limit_price=at.away(10), stop_price=at.away(-10), reduce_only=True, name="protect-1")
    assert isinstance(submit_with(at, leg, {"drop": True, "when": "after"}), Unknown)
    view = at.becomes(leg, W)
    assert view.broker_order_id
    at.broker.cancel(OrderRef(leg.client_order_id, view.broker_order_id, leg))
    at.becomes(leg, C, broker_order_id=view.broker_order_id)
    until(at.broker.orders, lambda orders: orders == ())


# --- whole account --------------------------------------------------------------------------------------------------------------


@at_venues()
def test_everything_can_be_cancelled_and_closed_by_the_venues_own_means(at: Bench) -> None:
    at.hold(2)
    at.accepted(at.leg(type=OrderType.LIMIT, limit_price=at.away(-40)))
    at.broker.cancel_all()
    until(at.broker.orders, lambda orders: orders == ())
    at.broker.liquidate(at.contract)
    until(at.held, lambda held: held == 0)
    at.broker.liquidate(at.contract)
    assert at.held() == 0

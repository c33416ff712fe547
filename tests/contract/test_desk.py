"""What every desk does: the fake that the order path's tests run on, and the one over the paper venue that ships."""

from decimal import Decimal

import pytest

from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, LegView
from fillpath.orders.ports.desk import AccountRef, Desk
from fillpath_brokers.desk import BrokerDesk
from tests.brokers.paper.exchange import PaperExchange, leg
from tests.fakes.desk import FakeDesk

ACCOUNT = AccountRef("01PAPER", "paper")
PRICE = Decimal(5900)


def fake_desk() -> Desk:
    desk = FakeDesk()
    desk.price = PRICE
    return desk


def paper_desk() -> Desk:
    return BrokerDesk(PaperExchange().services)


@pytest.fixture(params=[fake_desk, paper_desk])
def desk(request: pytest.FixtureRequest) -> Desk:
    made: Desk = request.param()
    return made


def accepted(desk: Desk, sent: Leg) -> LegView:
    outcome = desk.submit(ACCOUNT, sent)
    assert isinstance(outcome, Accepted), outcome
    return outcome.view


def seen(desk: Desk, sent: Leg) -> LegView:
    view = desk.look_up(ACCOUNT, sent)
    assert view is not None, "the desk shows no such order"
    return view


def held(desk: Desk) -> list[tuple[str, Decimal]]:
    return [(position.contract, position.quantity) for position in desk.positions(ACCOUNT, "ES")]


def test_a_market_order_is_accepted_and_its_fill_is_shown(desk: Desk) -> None:
    sent = leg("buy", "2")
    accepted(desk, sent)
    view = seen(desk, sent)
    assert (view.status, view.filled_quantity, view.average_price) == (LegStatus.FILLED, 2, PRICE)
    assert view.broker_order_id
    assert view.filled_at is not None
    assert held(desk) == [("ESH6", Decimal(2))]


def test_an_order_that_was_never_sent_is_not_shown(desk: Desk) -> None:
    assert desk.look_up(ACCOUNT, leg("buy", "1")) is None


def test_the_same_client_order_id_makes_one_order(desk: Desk) -> None:
    sent = leg("buy", "2")
    first, second = accepted(desk, sent), accepted(desk, sent)
    assert first.broker_order_id == second.broker_order_id
    assert held(desk) == [("ESH6", Decimal(2))]
    assert desk.capabilities(ACCOUNT).deduplicates_s > 0


def test_flat_contracts_are_not_shown(desk: Desk) -> None:
    accepted(desk, leg("buy", "2"))
    accepted(desk, leg("sell", "2"))
    assert held(desk) == []


def test_a_short_position_is_negative(desk: Desk) -> None:
    accepted(desk, leg("sell", "3"))
    assert held(desk) == [("ESH6", Decimal(-3))]


def test_positions_of_another_root_are_not_shown(desk: Desk) -> None:
    accepted(desk, leg("buy", "1", "AAPL"))
    assert held(desk) == []


def test_a_resting_order_works_until_it_is_cancelled(desk: Desk) -> None:
    sent = leg("buy", "1", limit="5000")
    accepted(desk, sent)
    assert seen(desk, sent).status is LegStatus.WORKING
    desk.cancel(ACCOUNT, sent)
    view = seen(desk, sent)
    assert (view.status, view.filled_quantity) == (LegStatus.CANCELLED, 0)
    assert held(desk) == []


def test_cancelling_what_is_filled_changes_nothing(desk: Desk) -> None:
    sent = leg("buy", "1")
    accepted(desk, sent)
    desk.cancel(ACCOUNT, sent)
    assert seen(desk, sent).status is LegStatus.FILLED


def test_cancelling_twice_is_cancelling_once(desk: Desk) -> None:
    sent = leg("sell", "1", stop="5000")
    accepted(desk, sent)
    desk.cancel(ACCOUNT, sent)
    desk.cancel(ACCOUNT, sent)
    assert seen(desk, sent).status is LegStatus.CANCELLED


@pytest.mark.parametrize(("quantity", "left"), [("1", 1), ("2", 0), ("5", 0)])
def test_a_reduce_only_order_never_crosses_zero(desk: Desk, quantity: str, left: int) -> None:
    accepted(desk, leg("buy", "2"))
    sent = leg("sell", quantity, reduce_only=True)
    accepted(desk, sent)
    assert seen(desk, sent).filled_quantity == 2 - left
    assert sum(position for _, position in held(desk)) == left


def test_a_reduce_only_order_never_opens(desk: Desk) -> None:
    desk.submit(ACCOUNT, leg("sell", "1", reduce_only=True))
    assert held(desk) == []


def test_asking_whether_an_order_would_be_refused_places_none(desk: Desk) -> None:
    sent = leg("buy", "1")
    assert desk.precheck(ACCOUNT, sent, Decimal(0)) is None
    assert desk.look_up(ACCOUNT, sent) is None


def a_bracket(limit: str | None = None) -> Leg:
    return leg("buy", "2", limit=limit).model_copy(update={"take_profit": PRICE + 10, "stop_loss": PRICE - 10})


def exits_of(sent: Leg, view: LegView) -> Leg:
    """The exits of a bracket as the order path asks for them: by what the venue calls them, under an id that it never saw."""
    assert view.exits is not None
    pair = {"type": OrderType.OCO, "limit_price": sent.take_profit, "stop_price": sent.stop_loss}
    named = {"broker_order_id": view.exits.broker_order_id, "client_order_id": "01NEVERSENT-exits", "leg": "exits"}
    side = {"side": sent.side.opposite, "take_profit": None, "stop_loss": None, "reduce_only": True}
    return sent.model_copy(update=pair | named | side)


def test_a_bracket_shows_its_exits_and_they_are_found_by_their_name(desk: Desk) -> None:
    sent = a_bracket()
    exits = exits_of(sent, accepted(desk, sent))
    assert held(desk) == [("ESH6", Decimal(2))]
    assert seen(desk, exits).status is LegStatus.WORKING
    again = seen(desk, sent).exits
    assert again is not None
    assert again.broker_order_id == exits.broker_order_id


def test_the_exits_of_a_bracket_are_cancelled_without_their_entry(desk: Desk) -> None:
    sent = a_bracket()
    exits = exits_of(sent, accepted(desk, sent))
    desk.cancel(ACCOUNT, exits)
    assert seen(desk, exits).status is LegStatus.CANCELLED
    assert seen(desk, sent).status is LegStatus.FILLED
    assert held(desk) == [("ESH6", Decimal(2))]


def test_exits_go_with_an_entry_that_is_cancelled_unfilled(desk: Desk) -> None:
    sent = a_bracket(limit="5895")
    exits = exits_of(sent, accepted(desk, sent))
    assert seen(desk, exits).status is LegStatus.WORKING
    desk.cancel(ACCOUNT, sent)
    assert seen(desk, sent).status is LegStatus.CANCELLED
    assert seen(desk, exits).status is LegStatus.CANCELLED


def test_a_pair_of_exits_rests_as_one_order(desk: Desk) -> None:
    accepted(desk, leg("buy", "2"))
    pair = {"type": OrderType.OCO, "limit_price": PRICE + 10, "stop_price": PRICE - 10}
    sent = leg("sell", "2", reduce_only=True).model_copy(update=pair)
    accepted(desk, sent)
    assert seen(desk, sent).status is LegStatus.WORKING
    desk.cancel(ACCOUNT, sent)
    assert seen(desk, sent).status is LegStatus.CANCELLED
    assert held(desk) == [("ESH6", Decimal(2))]

"""Exit pairs as one: what filled, for how much, and what is not known."""

from decimal import Decimal

import pytest

from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import LegView
from fillpath_brokers.pairs import exits_wanted, ids_in, pair_view

F, W, C = LegStatus.FILLED, LegStatus.WORKING, LegStatus.CANCELLED


def leg(**fields: Decimal | OrderType) -> Leg:
    known = {"leg": "main", "client_order_id": "c-1", "contract": "AAPL", "side": Side.BUY, "quantity": Decimal(2)}
    return Leg.model_validate({**known, **fields})


def test_what_filled_of_either_counts_at_its_own_price() -> None:
    both = [LegView(C, "1", Decimal(1), Decimal(10)), LegView(F, "2", Decimal(1), Decimal(20))]
    view = pair_view(both, Decimal(2))
    assert (view.status, view.filled_quantity, view.average_price, view.broker_order_id) == (F, 2, 15, "1+2")


def test_a_fill_whose_price_is_not_told_makes_no_price_of_nothing() -> None:
    view = pair_view([LegView(F, "1", Decimal(2)), LegView(C, "2")], Decimal(2))
    assert (view.filled_quantity, view.average_price) == (2, None)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, 0),
        ({"take_profit": Decimal(9)}, 1),
        ({"take_profit": Decimal(9), "stop_loss": Decimal(1)}, 2),
        ({"type": OrderType.OCO, "limit_price": Decimal(9), "stop_price": Decimal(1)}, 0),
    ],
)
def test_only_a_bracket_has_exits_of_its_own(fields: dict[str, Decimal | OrderType], wanted: int) -> None:
    assert exits_wanted(leg(**fields)) == wanted
    assert exits_wanted(None) == 0


def test_names_stand_for_their_orders() -> None:
    assert ids_in(["1+2", "3"]) == {"1", "2", "3"}


P, R = LegStatus.PARTIALLY_FILLED, LegStatus.REJECTED


@pytest.mark.parametrize(
    ("limit", "stop", "status", "open_quantity", "halved"),
    [
        (LegView(W, "1", open_quantity=Decimal(2)), LegView(W, "2", open_quantity=Decimal(2)), W, 2, False),
        (LegView(P, "1", Decimal(1), open_quantity=Decimal(1)), LegView(W, "2", open_quantity=Decimal(2)), P, 2, False),
        (LegView(W, "1", open_quantity=Decimal(2)), LegView(R, "2", open_quantity=Decimal(2)), W, 2, True),
        (LegView(P, "1", Decimal(1), open_quantity=Decimal(1)), LegView(C, "2"), P, 1, True),
        (LegView(F, "1", Decimal(2)), LegView(W, "2", open_quantity=Decimal(2)), P, 2, False),
        (LegView(W, "1", open_quantity=Decimal(2)), LegView(W, "2"), W, None, False),
        (LegView(C, "1"), LegView(R, "2"), C, None, False),
        (LegView(F, "1", Decimal(2)), LegView(C, "2"), F, None, False),
        (LegView(F, "1", Decimal(2)), LegView(F, "2", Decimal(2)), F, None, False),
    ],
)
def test_a_pair_tells_what_may_still_fill_and_whether_it_lost_a_half(
    limit: LegView, stop: LegView, status: LegStatus, open_quantity: int | None, halved: bool
) -> None:
    view = pair_view([limit, stop], Decimal(2))
    assert (view.status, view.open_quantity, view.halved) == (status, open_quantity, halved)

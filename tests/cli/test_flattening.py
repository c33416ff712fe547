"""Out of everything by a venue's own means, at a venue that refuses, is slow, or does not answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from cli.flattening import Flattened, flatten_at_venue, flattened_record, in_words
from fillpath.errors import BrokerUnavailable, FillpathError, NeedsReauth, NotSent, StorageUnavailable
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath.orders.outcomes import LegView, Position
from fillpath_brokers.facade import Broker, BrokerOrder, OrderRef
from fillpath_brokers.sending import ask_each
from tests.fakes.clock import FakeClock

PATIENCE_S = 10


def order(number: str, side: str = "sell", contract: str = "ESZ6", *, reduce_only: bool = False) -> BrokerOrder:
    view = LegView(LegStatus.WORKING, number)
    stop = Decimal(5880)
    return BrokerOrder("", contract, Side(side), Decimal(2), OrderType.STOP, None, stop, reduce_only, view)


@dataclass
class Venue:
    """Cancels after `slow_s`, but for orders whose cancellation it still refuses so often; closes what it is asked to.

    `keeps` it refuses to close, and closes of `leaves` never fill. What it does not answer is in `trouble`: a request limit once,
    everything else again and again.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    working: dict[str, BrokerOrder] = field(default_factory=dict)
    held: dict[str, Decimal] = field(default_factory=dict)
    refuses: dict[str, int] = field(default_factory=dict)
    keeps: set[str] = field(default_factory=set)
    leaves: set[str] = field(default_factory=set)
    slow_s: float = 0.0
    trouble: dict[str, FillpathError] = field(default_factory=dict)
    ends: dict[str, datetime] = field(default_factory=dict)
    closed: list[tuple[str, float]] = field(default_factory=list)
    before_look: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.began = self.clock.now()

    def cancel_all(self) -> None:
        self._enter("cancel_all")
        ask_each(list(self._at_work()), self._cancel)

    def cancel(self, ref: OrderRef) -> None:
        self._cancel(ref.broker_order_id or "")

    def orders(self) -> tuple[BrokerOrder, ...]:
        self.before_look()
        self._enter("orders")
        return tuple(self._at_work().values())

    def positions(self) -> tuple[Position, ...]:
        self._enter("positions")
        return tuple(Position(contract, contract[:2], quantity) for contract, quantity in self.held.items() if quantity)

    def liquidate(self, contract: str) -> None:
        if contract in self.keeps:
            raise BrokerUnavailable(f"{contract} cannot be closed now")
        self.closed.append((contract, (self.clock.now() - self.began).total_seconds()))
        if contract in self.leaves:
            self.working[f"close {contract}"] = order(f"close {contract}", contract=contract)
        else:
            self.held[contract] = Decimal(0)

    def has(self, *orders: BrokerOrder, **held: int) -> "Venue":
        self.working = {str(each.view.broker_order_id): each for each in orders}
        self.held = {contract: Decimal(quantity) for contract, quantity in held.items()}
        return self

    def flattened(self) -> Flattened:
        return flatten_at_venue(cast(Broker, self), self.clock, PATIENCE_S)

    def _at_work(self) -> dict[str, BrokerOrder]:
        ended = {number for number, at in self.ends.items() if at <= self.clock.now()}
        return {number: each for number, each in self.working.items() if number not in ended}

    def _cancel(self, number: str) -> None:
        if self.refuses.get(number, 0):
            self.refuses[number] -= 1
            raise BrokerUnavailable(f"order {number} cannot be cancelled in its present state")
        self.ends.setdefault(number, self.clock.now() + timedelta(seconds=self.slow_s))

    def _enter(self, what: str) -> None:
        error = self.trouble.get(what)
        if isinstance(error, NotSent):
            del self.trouble[what]
        if error is not None:
            raise error


def test_everything_is_cancelled_and_closed_at_once() -> None:
    venue = Venue().has(order("1"), order("2", "buy", "NQZ6"), ESZ6=2, CLZ6=-1)
    left = venue.flattened()
    assert (left.done, left.failed, left.troubles) == (True, {}, ())
    assert venue.closed == [("ESZ6", 0.0), ("CLZ6", 0.0)]


def test_one_refused_cancellation_is_told_and_asked_for_once_more() -> None:
    venue = Venue(refuses={"1": 1}).has(order("1"), order("2"), ESZ6=2)
    left = venue.flattened()
    assert left.done
    assert left.troubles == ("order 1 cannot be cancelled in its present state",)
    assert [contract for contract, _ in venue.closed] == ["ESZ6"]


def test_nothing_is_closed_before_what_works_in_it_is_gone() -> None:
    venue = Venue(slow_s=4).has(order("1"), ESZ6=2)
    assert venue.flattened().done
    assert venue.closed == [("ESZ6", 4.0)]


def test_one_contract_does_not_wait_for_another() -> None:
    venue = Venue(refuses={"1": 9}).has(order("1"), ESZ6=2, NQZ6=1)
    left = venue.flattened()
    assert venue.closed == [("NQZ6", 0.0)]
    assert not left.done


@pytest.mark.parametrize(("held", "side"), [(2, "sell"), (-2, "buy")])
def test_a_position_is_left_to_an_order_that_closes_it_and_cannot_be_cancelled(held: int, side: str) -> None:
    venue = Venue(refuses={"1": 9}).has(order("1", side), ESZ6=held)
    left = venue.flattened()
    assert venue.closed == []
    assert left.failed == {
        "ESZ6": f"an order that closes it works still, and would open a position after: {side} 2 ESZ6 stop 5880.00 (order 1)"
    }
    assert left.working == (order("1", side),)
    assert [(each.contract, each.quantity) for each in left.held or ()] == [("ESZ6", held)]


def test_it_is_closed_if_that_order_goes_at_the_last_moment() -> None:
    venue = Venue(refuses={"1": 9}).has(order("1"), ESZ6=2)
    venue.ends["1"] = venue.began + timedelta(seconds=25)
    assert venue.flattened().done
    assert venue.closed == [("ESZ6", 25.0)]


@pytest.mark.parametrize("other", [order("1", "buy"), order("1", reduce_only=True), order("1", contract="NQZ6")])
def test_any_other_order_that_cannot_be_cancelled_is_named_and_holds_nothing_up(other: BrokerOrder) -> None:
    venue = Venue(refuses={"1": 9}).has(other, ESZ6=2)
    left = venue.flattened()
    assert [contract for contract, _ in venue.closed] == ["ESZ6"]
    assert (left.done, left.working, left.held, left.failed) == (False, (other,), (), {})


def test_what_an_entry_fills_while_it_is_cancelled_is_closed_too() -> None:
    venue = Venue(slow_s=3).has(order("1", "buy"))

    def fills() -> None:
        if venue.clock.now() > venue.began and not venue.closed:
            venue.held["ESZ6"] = Decimal(1)

    venue.before_look = fills
    assert venue.flattened().done
    assert venue.closed == [("ESZ6", 3.0)]


def test_what_an_exit_closes_while_it_is_cancelled_is_not_closed_again() -> None:
    venue = Venue(slow_s=3).has(order("1"), ESZ6=2)
    venue.before_look = lambda: venue.held.update(ESZ6=Decimal(0))
    assert venue.flattened().done
    assert venue.closed == []


@pytest.mark.parametrize(
    ("trouble", "closed"),
    [({}, True), ({"cancel_all": BrokerUnavailable("busy")}, False), ({"cancel_all": StorageUnavailable("no table")}, False)],
)
def test_unseen_orders_hold_a_close_up_only_where_not_all_cancellations_were_taken(
    trouble: dict[str, FillpathError], closed: bool
) -> None:
    venue = Venue(trouble={"orders": BrokerUnavailable("late"), **trouble}).has(ESZ6=2)
    left = venue.flattened()
    assert (bool(venue.closed), "ESZ6" in left.failed) == (closed, not closed)
    assert (left.done, left.working) == (False, None)
    assert "late" in left.troubles


def test_a_venue_that_answers_again_is_believed() -> None:
    venue = Venue(trouble={"orders": BrokerUnavailable("late")}).has(ESZ6=2)
    venue.before_look = lambda: venue.trouble.clear() if venue.clock.now() > venue.began else None
    assert venue.flattened().done
    assert venue.closed == [("ESZ6", 1.0)]


def test_positions_that_cannot_be_read_are_not_taken_for_none() -> None:
    left = Venue(trouble={"positions": BrokerUnavailable("late")}).has(order("1")).flattened()
    assert (left.done, left.working, left.held) == (False, (), None)


@pytest.mark.parametrize("error", [BrokerUnavailable("down"), NeedsReauth("sign in again")])
def test_a_venue_that_takes_and_shows_nothing_is_an_error(error: FillpathError) -> None:
    with pytest.raises(type(error), match=str(error)):
        Venue(trouble=dict.fromkeys(("cancel_all", "orders", "positions"), error)).has(ESZ6=2).flattened()


def test_what_cannot_be_closed_keeps_nothing_else_open() -> None:
    venue = Venue(keeps={"ESZ6"}).has(ESZ6=2, NQZ6=1)
    left = venue.flattened()
    assert [contract for contract, _ in venue.closed] == ["NQZ6"]
    assert left.failed == {"ESZ6": "ESZ6 cannot be closed now"}
    assert [each.contract for each in left.held or ()] == ["ESZ6"]


def test_a_close_that_takes_its_time_is_not_cancelled_again() -> None:
    venue = Venue(leaves={"ESZ6"}, refuses={"1": 9}).has(order("1", "buy", "NQZ6"), ESZ6=2)
    left = venue.flattened()
    assert (left.asked, venue.ends) == (("ESZ6",), {})
    assert [each.view.broker_order_id for each in left.working or ()] == ["1", "close ESZ6"]


def test_what_is_held_after_all_is_waited_for_and_named() -> None:
    venue = Venue(leaves={"ESZ6"}).has(ESZ6=2)
    left = venue.flattened()
    assert (left.done, left.asked, len(venue.closed)) == (False, ("ESZ6",), 1)
    assert [each.contract for each in left.held or ()] == ["ESZ6"]
    assert venue.clock.now() - venue.began == timedelta(seconds=PATIENCE_S)


def test_a_request_limit_is_waited_for() -> None:
    venue = Venue(trouble={"cancel_all": NotSent("no quota", 3.0)}).has(order("1"), ESZ6=2)
    assert venue.flattened().done
    assert venue.closed == [("ESZ6", 3.0)]


def test_the_record_names_everything_that_is_left() -> None:
    venue = Venue(refuses={"1": 9}).has(order("1"), ESZ6=2, NQZ6=1)
    record: dict[str, Any] = flattened_record("A1", venue.flattened())
    assert (record["account_id"], record["liquidated"], list(record["failed"])) == ("A1", ["NQZ6"], ["ESZ6"])
    assert record["held"] == [{"symbol": "ESZ6", "quantity": "2"}]
    assert record["working"] == [
        {
            "broker_order_id": "1",
            "symbol": "ESZ6",
            "side": "sell",
            "quantity": "2",
            "type": "stop",
            "limit_price": None,
            "stop_price": "5880",
        }
    ]
    assert record["troubles"] == ["order 1 cannot be cancelled in its present state"]


def test_an_order_without_prices_is_told_without_them() -> None:
    bare = BrokerOrder("", "X", Side.BUY, Decimal("0.50"), OrderType.MARKET, None, None, False, LegView(LegStatus.WORKING, "7"))
    assert in_words(bare) == "buy 0.5 X market (order 7)"

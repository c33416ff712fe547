"""Orders along candles: gaps first, then stops before limits, trails only at the close."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fillpath.market.instruments import instruments
from fillpath.orders.model import Leg, OrderType, Side
from fillpath_brokers.exchange import matching
from fillpath_brokers.exchange.book import Book, Holding
from fillpath_brokers.exchange.orders import Fill
from fillpath_brokers.exchange.path import Step, candle, point, with_instants
from fillpath_brokers.exchange.placing import new_orders
from fillpath_brokers.exchange.scenario import NORMAL
from fillpath_brokers.exchange.turn import Turn

BEGUN = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
D = Decimal


@dataclass
class Candles:
    """A Market of minute candles from BEGUN on; before that it stands at 100."""

    candles: Sequence[tuple[int, int, int, int]]
    now: datetime = BEGUN - MINUTE

    def price(self, contract: str) -> Decimal:
        return D(100)

    def steps(self, contract: str, since: datetime, instants: Iterable[datetime] = ()) -> list[Step]:
        steps = [
            step
            for number, prices in enumerate(self.candles)
            for step in candle(BEGUN + number * MINUTE, BEGUN + (number + 1) * MINUTE, tuple(map(D, prices)))  # type: ignore[arg-type]  # four of them
        ]
        return with_instants((step for step in steps if since < step.at <= self.now), instants, lambda _: D(100))


def fills(*candles: tuple[int, int, int, int], held: int = 0, **wanted: object) -> list[tuple[str, Decimal, int]]:
    """What a leg's orders fill along the candles: type, price, and in which candle."""
    market = Candles(candles)
    leg = Leg.model_validate({"leg": "main", "client_order_id": "1-main", "contract": "AAPL", "quantity": D(1), **wanted})
    names = iter(("first", "second", "third"))
    ids: dict[object, str] = {}
    orders = new_orders(leg, instruments()["AAPL"], NORMAL, BEGUN - MINUTE, lambda role: ids.setdefault(role, next(names)))
    book = Book(holdings={"AAPL": Holding(D(held), D(100))} if held else {})
    turn = matching.place(Turn(book), orders, market)
    market.now = BEGUN + len(candles) * MINUTE
    turn = matching.advance(Turn(turn.book), turn.book.working.values(), market)
    kinds = {order.order_id: order.type.value for order in orders}
    return [(kinds[fill.order_id], fill.price, _minutes(fill)) for fill in turn.fills]


def _minutes(fill: Fill) -> int:
    return int((fill.at - BEGUN) / MINUTE)


def sell(kind: OrderType, **prices: int | str) -> dict[str, object]:
    return {"side": Side.SELL, "type": kind, **prices}


def buy(kind: OrderType, **prices: int | str) -> dict[str, object]:
    return {"side": Side.BUY, "type": kind, **prices}


@pytest.mark.parametrize(
    ("wanted", "bar", "filled"),
    [
        pytest.param(sell(OrderType.STOP, stop_price=95), (100, 101, 94, 96), [("stop", D(95), 0)], id="inside: its level"),
        pytest.param(sell(OrderType.STOP, stop_price=95), (100, 101, 95, 99), [("stop", D(95), 0)], id="touch counts"),
        pytest.param(sell(OrderType.STOP, stop_price=95), (92, 99, 91, 96), [("stop", D(92), 0)], id="gap: the open"),
        pytest.param(buy(OrderType.STOP, stop_price=105), (107, 108, 99, 100), [("stop", D(107), 0)], id="a buy stop's gap"),
        pytest.param(sell(OrderType.LIMIT, limit_price=105), (100, 106, 99, 100), [("limit", D(105), 0)], id="a limit inside"),
        pytest.param(sell(OrderType.LIMIT, limit_price=105), (107, 108, 106, 107), [("limit", D(107), 0)], id="a limit's gap"),
        pytest.param(buy(OrderType.LIMIT, limit_price=95), (100, 104, 96, 100), [], id="not reached"),
        pytest.param(
            buy(OrderType.STOP_LIMIT, stop_price=105, limit_price=106),
            (100, 107, 99, 101),
            [("stop_limit", D(105), 0)],
            id="stop limit",
        ),
        pytest.param(
            buy(OrderType.STOP_LIMIT, stop_price=105, limit_price=103),
            (100, 107, 99, 101),
            [],
            id="a stop limit that was triggered inside a candle waits for the next one",
        ),
    ],
)
def test_one_candle(wanted: dict[str, object], bar: tuple[int, int, int, int], filled: list[object]) -> None:
    assert fills(bar, **wanted) == filled


def test_a_stop_limit_rests_from_the_next_candle_on() -> None:
    wanted = buy(OrderType.STOP_LIMIT, stop_price=105, limit_price=103)
    assert fills((100, 107, 99, 104), (104, 105, 102, 104), **wanted) == [("stop_limit", D(103), 1)]


@pytest.mark.parametrize("bar", [(100, 106, 94, 100), (100, 106, 94, 105)])
def test_with_both_levels_inside_one_candle_the_stop_comes_first(bar: tuple[int, int, int, int]) -> None:
    wanted = sell(OrderType.OCO, limit_price=105, stop_price=95, reduce_only=True)  # type: ignore[arg-type]  # a flag
    assert fills(bar, held=1, **wanted) == [("stop", D(95), 0)]


def test_a_gap_over_the_limit_comes_before_a_stop_inside() -> None:
    wanted = sell(OrderType.OCO, limit_price=105, stop_price=95, reduce_only=True)  # type: ignore[arg-type]  # a flag
    assert fills((106, 107, 94, 95), held=1, **wanted) == [("limit", D(106), 0)]


def test_a_trail_moves_at_the_close_and_acts_from_the_next_candle_on() -> None:
    wanted = sell(OrderType.TRAILING_STOP, trail_amount=5)
    assert fills((100, 110, 99, 108), **wanted) == []
    assert fills((100, 110, 99, 108), (109, 120, 103, 118), **wanted) == [("trailing_stop", D(103), 1)]


def test_the_exits_of_an_entry_that_filled_at_an_open_are_exposed_to_that_candle() -> None:
    wanted = buy(OrderType.STOP, stop_price=101, take_profit=110, stop_loss=95)
    assert fills((102, 103, 94, 100), **wanted) == [("stop", D(102), 0), ("stop", D(95), 0)]


def test_the_exits_of_an_entry_that_filled_inside_a_candle_act_from_the_next_one_on() -> None:
    wanted = buy(OrderType.STOP, stop_price=101, take_profit=110, stop_loss=95)
    assert fills((100, 111, 94, 100), **wanted) == [("stop", D(101), 0)]
    assert fills((100, 111, 94, 100), (100, 112, 99, 100), **wanted) == [("stop", D(101), 0), ("limit", D(110), 1)]


def test_a_step_between_others_keeps_its_place() -> None:
    steps = [point(BEGUN, D(1)), point(BEGUN + 2 * MINUTE, D(2))]
    assert [step.at for step in with_instants(steps, [BEGUN + MINUTE], lambda _: D(9))] == [
        BEGUN,
        BEGUN + MINUTE,
        BEGUN + 2 * MINUTE,
    ]

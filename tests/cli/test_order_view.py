"""Orders for a person: what is said once is not said twice, and nothing breaks inside a word on a narrow terminal."""

from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.order_view import in_ticks, order_detail, order_table, wanted
from fillpath.orders.model import LegStatus, OrderState, OrderType, Side, new_leg
from fillpath.orders.result import order_record
from tests.contract.records import an_order


def shown(what: RenderableType, width: int = 80) -> str:
    console = Console(width=width, record=True, quiet=False, file=None)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_a_reason_stands_in_words_below_its_state() -> None:
    order = an_order(state=OrderState.ABORTED, reason="close_not_filled")
    told = shown(order_table([order_record(order)], {}))
    assert "ABORTED" in told
    for word in ("close", "not", "filled"):
        assert word in told
    assert "close_not" not in told


@pytest.mark.parametrize(
    ("state", "reason", "word"),
    [
        (OrderState.SKIPPED, "spoken_for", "still"),
        (OrderState.SKIPPED, "superseded", "carried"),
        (OrderState.QUEUED, "suspended", "until"),
        (OrderState.QUEUED, "resized", "held"),
    ],
)
def test_a_reason_whose_name_says_little_is_told_in_full(state: OrderState, reason: str, word: str) -> None:
    record = order_record(an_order(state=state, reason=reason))
    assert word in shown(order_detail(record, {}))


def test_a_full_row_fits_a_narrow_terminal_without_breaking_a_word() -> None:
    order = an_order(state=OrderState.REJECTED, reason="insufficient_margin", average_price=Decimal("20806.75"))
    told = shown(order_table([order_record(order)], {}))
    for word in ("REJECTED", "insufficient", "20806.75"):
        assert word in told


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"type": "limit", "limit_price": 5890}, "buy 1 limit 5890"),
        ({"type": "stop", "stop_price": 280}, "buy 1 stop 280"),
        ({"type": "stop_limit", "stop_price": 280, "limit_price": 281}, "buy 1 stop 280 limit 281"),
        ({"type": "oco", "stop_price": 200, "limit_price": 260, "order_type": "exit"}, "buy 1 exit stop 200 / limit 260"),
        ({"type": "trailing_stop", "trail_percent": 2}, "buy 1 trail 2 %"),
        ({"type": "trailing_stop", "trail_amount": 5}, "buy 1 trail 5"),
    ],
)
def test_each_price_has_its_name(fields: dict[str, Any], words: str) -> None:
    decimals = {name: Decimal(value) if isinstance(value, int) else value for name, value in fields.items()}
    assert wanted(order_record(an_order(quantity=Decimal(1), **decimals))) == words


@pytest.mark.parametrize(
    ("changes", "shown_as"),
    [
        ({"quantity": Decimal(2)}, "sell 2 exit"),
        ({"quantity": Decimal(3), "open_quantity": Decimal(1)}, "sell 1 exit"),
        ({"quantity": Decimal(2), "status": LegStatus.CANCELLED}, "sell 3 exit"),
    ],
)
def test_the_quantity_of_a_resting_order_is_what_works_at_the_broker(changes: dict[str, Any], shown_as: str) -> None:
    limit = {"type": OrderType.LIMIT, "limit_price": Decimal(260)}
    order = an_order(quantity=Decimal(3), action="sell", order_type="exit", state=OrderState.WORKING, **limit)
    leg = new_leg(order, "protect-1", "AAPL", Side.SELL, Decimal(3), reduce_only=True)
    order = order.with_leg(leg.model_copy(update={"status": LegStatus.WORKING} | changes))
    assert f"{shown_as} limit 260" in shown(order_table([order_record(order)], {}), width=120)
    assert "sell 3 exit limit 260" in shown(order_detail(order_record(order), {}), width=120)


def test_a_reason_that_is_a_web_page_is_shown_in_its_words() -> None:
    order = an_order(state=OrderState.UNKNOWN, reason="<html><h1>Bad gateway</h1>\n\n</html>")
    assert "bad gateway" in shown(order_table([order_record(order)], {}), width=120)


def test_a_reason_that_repeats_the_state_is_left_away() -> None:
    order = an_order(state=OrderState.CANCELLED, reason="cancelled")
    assert "cancelled" not in shown(order_table([order_record(order)], {}))


def test_what_was_held_and_what_is_held_are_told_alike() -> None:
    record = order_record(an_order(state=OrderState.ABORTED)) | {"position_before": "-1", "held": "0", "root": "ES"}
    told = shown(order_detail(record, {}))
    assert "-1 ES" in told
    assert "nothing" in told


@pytest.mark.parametrize(
    ("price", "text"),
    [("5900.5", "5900.50"), ("5900.333333333333333333333333", "5900.3333"), ("5900", "5900.00"), (None, "")],
)
def test_a_price_has_the_decimals_of_its_tick_and_an_average_two_more(price: str | None, text: str) -> None:
    assert in_ticks(price, "ESZ6") == text

"""Orders for a person: what is said once is not said twice, and nothing breaks inside a word on a narrow terminal."""

from decimal import Decimal

import pytest
from rich.console import Console, RenderableType

from cli.order_view import in_ticks, order_detail, order_table
from fillpath.orders.model import OrderState
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

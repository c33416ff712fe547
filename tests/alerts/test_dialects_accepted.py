"""Each message of the field that is understood goes through the webhook's front desk: an order that keeps what it asks for."""

from decimal import Decimal

import pytest

from fillpath.accounts.model import SecretIn, TimeOf
from fillpath.alerts.accept import accept
from fillpath.alerts.case import Hit
from fillpath.alerts.dialects.registry import dialect
from fillpath.errors import Refused
from fillpath.orders.model import Order
from tests.alerts import messages
from tests.alerts.desk import NOW, FrontDesk

SIDES = {"long": 1, "flat": 0, "short": -1}


def posted(name: str) -> Order | Refused:
    """What becomes of the message, with the webhook's secret where its dialect has it."""
    wanted = messages.expected(name)
    given = wanted["alert"].get("secret")
    in_url = dialect(wanted["dialect"]).secret_field is None or given is None
    front = FrontDesk(time=TimeOf.ARRIVAL, secret_in=SecretIn.URL if in_url else SecretIn.BODY)
    raw = messages.body(name).decode().replace(given or "\x00", front.access.secret)
    hit = Hit(front.access.token, raw.encode(), NOW, secret=front.access.secret if in_url else None)
    try:
        (order,) = accept(hit, front.desks).orders
    except Refused as refused:
        return refused
    return order


@pytest.mark.parametrize("name", messages.accepted())
def test_a_message_that_is_understood_becomes_an_order_where_the_venue_can_do_everything(name: str) -> None:
    answer = posted(name)
    assert isinstance(answer, Order), answer


@pytest.mark.parametrize("name", messages.accepted())
def test_an_order_keeps_what_its_message_says_of_how_to_read_it(name: str) -> None:
    alert, order = messages.expected(name)["alert"], posted(name)
    if isinstance(order, Order):
        assert (order.take_profit, order.stop_loss) == tuple(map(_number, (alert.get("take_profit"), alert.get("stop_loss"))))
        assert order.gate == alert.get("gate", "ignore")
        assert order.includes_close == (alert.get("quantity_is") == "contracts")
        assert list(order.only_from or ()) == [SIDES[side] for side in alert.get("only_from", [])]


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)

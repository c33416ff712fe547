"""Orders as a person lists them."""

from decimal import Decimal

from cli.directory import newest_orders
from fillpath.accounts.model import User
from fillpath.orders.model import Order
from tests.contract.records import NOW, an_order, later
from tests.fakes.order_store import FakeOrderStore

ANN = User(user_id="ann", email="ann@example.com", created_at=NOW)


def named(end: str, seconds: float) -> Order:
    """Orders of one alert have ids of one moment: what stands behind that in an id is random."""
    return an_order(later(seconds), order_id=f"01KJQV4Z00{end * 16}", quantity=Decimal(1))


def test_orders_of_one_moment_are_listed_by_when_they_were_received() -> None:
    store = FakeOrderStore()
    entry, exits, other = named("Z", 0), named("A", 0.4), named("M", 0.2)
    for order in (entry, exits, other):
        store.add(order)
    assert newest_orders(store, [ANN], 9) == (exits, other, entry)

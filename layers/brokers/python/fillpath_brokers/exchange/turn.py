"""One turn at the exchange: the book, and everything that changed in it, in the order in which it did."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fillpath_brokers.exchange.book import Book
from fillpath_brokers.exchange.orders import ExchangeOrder, Fill

MOST_CHANGES = 80
"""Orders and fills of one turn; with what its last step adds, they must fit into one transaction of a store (100 documents)."""


class Became(NamedTuple):
    """An order as it became, and the fill that made it so."""

    order: ExchangeOrder
    fill: Fill | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened: the book after it, the orders it changed (by id), the fills it made, the id it placed, each step."""

    book: Book
    orders: dict[str, ExchangeOrder] = field(default_factory=dict)
    fills: tuple[Fill, ...] = ()
    placed: str | None = None
    changes: tuple[Became, ...] = ()

    @property
    def full(self) -> bool:
        """Whether so much has changed that the rest must wait for the next turn."""
        return len(self.orders) + len(self.fills) >= MOST_CHANGES

    def having(self, book: Book, order: ExchangeOrder, fill: Fill | None = None) -> "Turn":
        """The turn with one order more in a new state."""
        return replace(
            self,
            book=book.with_order(order),
            orders={**self.orders, order.order_id: order},
            fills=(*self.fills, fill) if fill else self.fills,
            changes=(*self.changes, Became(order, fill)),
        )

    def noting(self, order: ExchangeOrder) -> "Turn":
        """The turn with what the exchange remembers of a working order, which nobody else sees."""
        orders = {**self.orders, order.order_id: order} if order.order_id in self.orders else self.orders
        return replace(self, book=self.book.with_order(order), orders=orders)

    def working(self, order_id: str | None) -> ExchangeOrder | None:
        """The order as it works now; None if it does not."""
        return self.book.working.get(order_id) if order_id else None

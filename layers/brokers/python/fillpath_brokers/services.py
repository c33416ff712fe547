"""Services: what the venues may use of the outside. Wiring fills it; each venue says in a protocol of its own what it takes."""

from dataclasses import dataclass

from fillpath.clock import Clock
from fillpath.market.ports.last_prices import LastPrices
from fillpath_brokers.paper.book_store import PaperBookStore


@dataclass(frozen=True, slots=True)
class Services:
    """The clock, the last trades that are known, and where the simulated exchange keeps its books."""

    clock: Clock
    last_prices: LastPrices
    paper_books: PaperBookStore

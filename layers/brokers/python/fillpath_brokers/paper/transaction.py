"""One turn at the exchange: load the book, decide, write it back if nobody was faster, else decide again.

Ten lanes may trade on one account at once; each of them wins sooner or later, within a bound of time.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from fillpath.clock import Clock
from fillpath.errors import BrokerError, Conflict, StorageUnavailable
from fillpath_brokers.exchange.book import Book
from fillpath_brokers.exchange.orders import ExchangeOrder
from fillpath_brokers.exchange.turn import Turn
from fillpath_brokers.paper.book_store import Document, PaperBookStore
from fillpath_brokers.paper.documents import book_document, fill_document, order_document, read_book, read_order

Reply = TypeVar("Reply")
Stored = Callable[[str], ExchangeOrder | None]
"""Finds an order as it was stored last, an ended one too."""
Step = Callable[[Book, Stored], tuple[Turn, Reply]]

PATIENCE = timedelta(seconds=3)
"""No write begins later than this after the turn did; with the store's own time-outs the venue's quarantine covers it."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.02, 0.25


class NothingWritten(BrokerError):
    """The turn did not happen, and that is certain: it may be tried again."""


class Exchange:
    """One account's book behind its store."""

    def __init__(self, account_id: str, books: PaperBookStore, clock: Clock, jitter: Callable[[], float] = random.random) -> None:
        self._account_id = account_id
        self._books = books
        self._clock = clock
        self._jitter = jitter

    def turn(self, step: Step[Reply], client_order_id: str | None = None) -> Reply:
        """Do `step` on the book as it is and keep what it changed; the order of that id is read with it, others when asked for.

        NothingWritten: it certainly did not happen. StorageUnavailable: the write may have happened or not.
        """
        give_up_at = self._clock.now() + PATIENCE
        wait_s = FIRST_WAIT_S
        while True:
            turn, reply = self._decide(step, client_order_id)
            if turn is None:
                return reply
            if self._clock.now() >= give_up_at:
                raise NothingWritten("the account is too busy")
            if self._kept(turn):
                return reply
            self._clock.sleep(wait_s * self._jitter())
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _decide(self, step: Step[Reply], client_order_id: str | None) -> tuple[Turn | None, Reply]:
        try:
            account, found = self._books.load(self._account_id, client_order_id)
            book = read_book(account)
            turn, reply = step(book, self._stored(client_order_id, found))
        except StorageUnavailable as exc:
            raise NothingWritten(f"the book or a price could not be read: {exc}") from exc
        changed = turn.orders or turn.book != book
        return (turn if changed else None), reply

    def _stored(self, read: str | None, document: Document | None) -> Stored:
        def stored(order_id: str) -> ExchangeOrder | None:
            found = document if order_id == read else self._books.load(self._account_id, order_id)[1]
            return read_order(found) if found else None

        return stored

    def _kept(self, turn: Turn) -> bool:
        orders = [order_document(order) for order in turn.orders.values()]
        fills = [fill_document(fill) for fill in turn.fills]
        try:
            self._books.save(self._account_id, book_document(turn.book), orders, fills, turn.placed)
        except Conflict:
            return False
        return True

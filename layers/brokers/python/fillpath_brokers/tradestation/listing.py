"""Orders as TradeStation lists them: those of today with all open ones, and older ones that have ended. Read page by page.

An answer may be a 200 with errors in it, for an account or for an order. A listing of all orders with any error is no answer.
Where orders are asked for by their ids, an error that is about one of them and says that there is no such order is its absence;
one that is neither shown nor said to be absent may be there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable
from fillpath_brokers.documents import paged, readable
from fillpath_brokers.session import Session
from fillpath_brokers.tradestation.refusals import errors_in, is_unknown_order, read, text_of
from fillpath_brokers.tradestation.wire import Document
from fillpath_brokers.web import Reply, part
from fillpath_brokers.window import VenueClock

_PAGE = "600"
_LONGEST = timedelta(days=89)
"""History is kept for 90 days."""
_NOT_FOUND = 404


class Page(NamedTuple):
    """What one answer holds. `absent`: those of the ids that were asked for of which it says that there is no such order."""

    orders: list[Document]
    absent: frozenset[str] = frozenset()
    following: str | None = None


class Listing:
    """Of one account; `base` tells the account's own address. Raises BrokerUnavailable."""

    def __init__(self, session: Session, base: Callable[[], str], clock: Clock) -> None:
        self._session = session
        self._base = base
        self._clock = clock
        self.venue_clock = VenueClock(clock)

    def present(self) -> list[Document]:
        """The orders of today, and every open one."""
        return self._pages("/orders", {})

    def ended(self, since: datetime) -> list[Document]:
        """The orders of former days that have ended, of at most 90 days."""
        return self._pages("/historicalorders", {"since": self._date(since)})

    def by_id(self, ids: Iterable[str], since: datetime | None = None) -> list[Document]:
        """The orders of these ids, without those that are said not to be there; BrokerUnavailable if nothing is said of one.

        `since`: when the oldest of them was placed, where that is known.
        """
        orders, unsaid = self._looked_for(ids, since)
        if unsaid:
            raise BrokerUnavailable(f"TradeStation says nothing of the orders {', '.join(unsaid)}")
        return orders

    def shown(self, ids: Iterable[str], since: datetime | None = None) -> list[Document]:
        """Those of the orders that TradeStation shows just now: no absence of the others."""
        return self._looked_for(ids, since)[0]

    def _looked_for(self, ids: Iterable[str], since: datetime | None) -> tuple[list[Document], list[str]]:
        """What is shown, and the ids that are not said to be absent from both listings."""
        wanted = list(dict.fromkeys(ids))
        found, absent = self._named("/orders", wanted, {})
        missing = [each for each in wanted if each not in found]
        if missing:
            params = {"since": self._date(since or self._clock.now() - _LONGEST)}
            older, absent_there = self._named("/historicalorders", missing, params)
            found, absent = found | older, absent & absent_there
        return [found[each] for each in wanted if each in found], [each for each in missing if each not in {*found, *absent}]

    def _named(self, path: str, ids: list[str], params: dict[str, str]) -> tuple[dict[str, Document], frozenset[str]]:
        page = self._read(f"{path}/{part(','.join(ids))}", params, ids)
        with readable("TradeStation's orders"):
            return {str(order["OrderID"]): order for order in page.orders}, page.absent

    def _pages(self, path: str, params: dict[str, str]) -> list[Document]:
        def page(token: str | None) -> tuple[list[Document], str | None]:
            found = self._read(path, params | {"pageSize": _PAGE} | ({"nextToken": token} if token else {}))
            return found.orders, (found.following or None) if found.orders else None

        return list(paged(page, "TradeStation's orders"))

    def _read(self, path: str, params: dict[str, str], ids: Collection[str] = ()) -> Page:
        url = self._base() + path
        return orders_in(self.venue_clock.measured(lambda: self._session.read(url, params or None, urgent=True)), ids)

    def _date(self, at: datetime) -> str:
        """A day earlier: whose day it is is not documented."""
        return max(at - timedelta(days=1), self._clock.now() - _LONGEST).strftime("%Y-%m-%d")


def orders_in(reply: Reply, ids: Collection[str] = ()) -> Page:
    """What an answer holds; `ids`: the orders that were asked for, if not all were. BrokerUnavailable where it is no answer."""
    if reply.status == _NOT_FOUND and (absent := _absent(errors_in(reply.json()), ids)):
        return Page([], absent)
    document = reply.json() if reply.ok else None
    if not isinstance(document, dict):
        raise BrokerUnavailable(f"TradeStation answers {reply.status}: {read(reply)}")
    orders, absent = document.get("Orders"), _absent(document.get("Errors") or (), ids)
    if absent is None or document.get("Error") or not isinstance(orders, list):
        raise BrokerUnavailable(f"TradeStation does not list the orders: {read(reply)}")
    return Page(orders, absent, document.get("NextToken"))


def _absent(errors: Any, ids: Collection[str]) -> frozenset[str] | None:
    """Those of the ids that are said to be no orders; None where an error says anything else."""
    absent: set[str] = set()
    for error in errors if isinstance(errors, list | tuple) else [errors]:
        if not ids or not isinstance(error, Mapping):
            return None
        named = str(error.get("OrderID")) in ids
        if not is_unknown_order(text_of([error]), named=named):
            return None
        absent.update([str(error["OrderID"])] if named else ids)
    return frozenset(absent)

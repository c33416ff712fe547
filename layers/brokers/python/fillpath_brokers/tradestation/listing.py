"""Orders as TradeStation lists them: those of today with all open ones, and older ones that have ended. Read page by page.

A listing may be a 200 with errors in it, for an account or for an order. Only what says that there is no such order counts as
absence; any other error is no answer.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable
from fillpath_brokers.documents import paged, readable
from fillpath_brokers.session import Session
from fillpath_brokers.tradestation.refusals import errors_in, is_unknown_order, own_text, read, text_of
from fillpath_brokers.tradestation.wire import Document
from fillpath_brokers.web import Reply, part
from fillpath_brokers.window import VenueClock

_PAGE = "600"
_LONGEST = timedelta(days=89)
"""History is kept for 90 days."""
_NOT_FOUND = 404


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
        """The orders of these ids, those that are there; `since`: when the oldest of them was placed, where that is known."""
        wanted = list(dict.fromkeys(ids))
        found = self._named("/orders", wanted, {})
        missing = [each for each in wanted if each not in found]
        if missing:
            found |= self._named("/historicalorders", missing, {"since": self._date(since or self._clock.now() - _LONGEST)})
        return [found[each] for each in wanted if each in found]

    def _named(self, path: str, ids: list[str], params: dict[str, str]) -> dict[str, Document]:
        orders, _ = self._read(f"{path}/{part(','.join(ids))}", params)
        with readable("TradeStation's orders"):
            return {str(order["OrderID"]): order for order in orders}

    def _pages(self, path: str, params: dict[str, str]) -> list[Document]:
        def page(token: str | None) -> tuple[list[Document], str | None]:
            found, following = self._read(path, params | {"pageSize": _PAGE} | ({"nextToken": token} if token else {}))
            return found, (following or None) if found else None

        return list(paged(page, "TradeStation's orders"))

    def _read(self, path: str, params: dict[str, str]) -> tuple[list[Document], str | None]:
        url = self._base() + path
        return orders_in(self.venue_clock.measured(lambda: self._session.read(url, params or None, urgent=True)))

    def _date(self, at: datetime) -> str:
        """A day earlier: whose day it is is not documented."""
        return max(at - timedelta(days=1), self._clock.now() - _LONGEST).strftime("%Y-%m-%d")


def orders_in(reply: Reply) -> tuple[list[Document], str | None]:
    """The orders of a listing's page, and the token of the next one."""
    if reply.status == _NOT_FOUND and is_unknown_order(own_text(reply)):
        return [], None
    document = reply.json() if reply.ok else None
    if not isinstance(document, dict):
        raise BrokerUnavailable(f"TradeStation answers {reply.status}: {read(reply)}")
    errors = [error for error in errors_in({"Errors": document.get("Errors")}) if not is_unknown_order(text_of([error]))]
    if errors or not isinstance(document.get("Orders"), list):
        raise BrokerUnavailable(f"TradeStation does not list the orders: {reply.hide(text_of(errors)) or reply.text}")
    return document["Orders"], document.get("NextToken")

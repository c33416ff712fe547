"""Schwab's trader API for one account: questions in, its documents out.

Every path names the account by a hash, which is asked for once. Long listings are cut in two where Schwab's gateway finds them
too long.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, NeedsReauth
from fillpath_brokers.documents import readable
from fillpath_brokers.schwab.refusals import TOO_BIG, is_schwabs, read
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.wire import Document, entered_at
from fillpath_brokers.sending import before_sending
from fillpath_brokers.session import Session
from fillpath_brokers.web import Reply, Request, part
from fillpath_brokers.window import MOST_APART, VenueClock

_MOST_ORDERS = 3000
_SHORTEST_LISTING = timedelta(minutes=1)
_NOT_FOUND = 404
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Trader:
    """Reads. What changes something is sent by the venue itself."""

    def __init__(self, session: Session, settings: Settings, clock: Clock) -> None:
        self.venue_clock = VenueClock(clock)
        self._session = session
        self._settings = settings
        self._clock = clock
        self._hash: str | None = None

    def account_numbers(self) -> list[Document]:
        """The accounts that the login reaches, with their hashes."""
        found = _answer(self._session.read(f"{self._settings.trader_url}/accounts/accountNumbers", urgent=True), list)
        return list(found)

    def url(self, path: str = "") -> str:
        """The address of the account, and of what is behind it. NeedsReauth if the login does not reach it."""
        if self._hash is None:
            self._hash = self._chosen()
        return f"{self._settings.trader_url}/accounts/{part(self._hash)}{path}"

    def url_to_send_to(self, path: str) -> str:
        """The same before something is placed: that it could not be found out says that nothing was sent (NotSent)."""
        with before_sending():
            return self.url(path)

    def order(self, order_id: str) -> Document | None:
        """One order with all that belongs to it; None: Schwab shows no such order."""
        reply = self._session.read(self.url(f"/orders/{part(order_id)}"), urgent=True)
        return None if reply.status == _NOT_FOUND and is_schwabs(reply) else _answer(reply, dict)

    def orders(self, since: datetime, until: datetime) -> list[Document]:
        """The orders that were entered in this time, the oldest first."""
        listed = self._listed(since, until)
        with readable("Schwab's orders"):
            return sorted(listed, key=lambda order: (entered_at(order) or _LONG_AGO, int(order.get("orderId") or 0)))

    def recent_orders(self, since: datetime | None = None) -> list[Document]:
        """All that may still work or, where `since` is given, may have been filled since then."""
        now = self._clock.now()
        reach = timedelta(days=self._settings.orders_reach_days)
        return self.orders(max(min(since or now, now) - reach, now - timedelta(days=364)), now + MOST_APART)

    def account(self) -> Document:
        """Balances and positions."""
        account = _answer(self._session.read(self.url(), {"fields": "positions"}, urgent=True), dict).get("securitiesAccount")
        if not isinstance(account, Mapping) or not account:
            raise BrokerUnavailable("Schwab's answer does not have the account in it")
        return account

    def streamer(self) -> Mapping[str, str]:
        """Where the streamer is and who we are there."""
        preference = _answer(self._session.read(f"{self._settings.trader_url}/userPreference"), dict)
        with readable("what Schwab tells of its streamer"):
            found: Mapping[str, str] = preference["streamerInfo"][0]
        return found

    def _chosen(self) -> str:
        reached = {str(each.get("accountNumber")): str(each.get("hashValue")) for each in self.account_numbers()}
        wanted = self._settings.account
        if wanted is None and len(reached) == 1:
            return next(iter(reached.values()))
        if wanted in reached:
            return reached[wanted]
        shown = ", ".join(f"...{number[-3:]}" for number in reached) or "none"
        what = "no account number is set" if wanted is None else f"...{wanted[-3:]} is not among them"
        raise NeedsReauth(f"the login reaches these accounts: {shown}, and {what}; sign in again and choose it, or set `account`")

    def _listed(self, since: datetime, until: datetime) -> list[Document]:
        params = {"fromEnteredTime": stamp(since), "toEnteredTime": stamp(until), "maxResults": str(_MOST_ORDERS)}
        request = Request("GET", self.url("/orders"), params=params, safe=True, urgent=True)
        reply = self.venue_clock.measured(lambda: self._session.send(request))
        if not reply.ok and read(reply).code == TOO_BIG:
            return self._halves(since, until)
        found: list[Document] = _answer(reply, list)
        return self._halves(since, until) if len(found) >= _MOST_ORDERS else found

    def _halves(self, since: datetime, until: datetime) -> list[Document]:
        if until - since < _SHORTEST_LISTING:
            raise BrokerUnavailable("Schwab cannot list so many orders")
        middle = since + (until - since) / 2
        found = {str(order.get("orderId")): order for order in (*self._listed(since, middle), *self._listed(middle, until))}
        return list(found.values())


def stamp(at: datetime) -> str:
    """A time as Schwab wants it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _answer(reply: Reply, kind: type) -> Any:
    document = reply.json() if reply.ok else None
    if not isinstance(document, kind):
        raise BrokerUnavailable(f"Schwab answers {reply.status}: {read(reply).text}")
    return document

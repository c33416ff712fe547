"""Tradovate's streams behind the facade: they are opened, told new symbols and new tokens, and closed here."""

from collections.abc import AsyncIterator, Iterable, Mapping

from fillpath.accounts.access import Access
from fillpath.market.bars import Gap
from fillpath_brokers.documents import readable
from fillpath_brokers.facade import Feed, MarketEvent, OrderUpdate
from fillpath_brokers.session import access_token
from fillpath_brokers.streaming.driver import Means, Stream
from fillpath_brokers.streaming.protocol import GiveUp, Place, Reconnect
from fillpath_brokers.streaming.running import Running
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.data_protocol import DataProtocol
from fillpath_brokers.tradovate.history import data_token
from fillpath_brokers.tradovate.market_socket import NO_DATA
from fillpath_brokers.tradovate.orders_protocol import OrdersProtocol
from fillpath_brokers.tradovate.reading import Reading
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.sign_in import APPROVE, USER

_MOST_DENIALS = 3
_DENIED_AGAIN_S = 5.0


class UserDoor:
    """Of the user socket: a denied token is told to everybody before the next connection; after three a person is needed."""

    def __init__(self, calls: Calls, settings: Settings) -> None:
        self._calls = calls
        self._settings = settings
        self._access: Access | None = None
        self._text: str | None = None
        self._denials = 0

    def access(self) -> Access:
        """What the next connection signs in with; may ask stores."""
        if self._text is not None and self._access is not None:
            self._calls.refused(self._access, self._text)
            self._text = None
        self._access = self._calls.access()
        return self._access

    def entered(self) -> None:
        """It was let in."""
        self._denials = 0

    def denied(self, text: str) -> Reconnect | GiveUp:
        """It was not."""
        self._text = text
        self._denials += 1
        if self._denials < _MOST_DENIALS:
            return Reconnect("Tradovate denies the token", _DENIED_AGAIN_S)
        return GiveUp(APPROVE if self._settings.wants_approval(text) else "Tradovate denies every token", needs_reauth=True)


class DataDoor:
    """Of the market data socket: a token may just have ended; denied twice, it is the licence. Trading is not touched by it."""

    def __init__(self) -> None:
        self._denials = 0

    def entered(self) -> None:
        """It was let in."""
        self._denials = 0

    def denied(self, text: str) -> Reconnect | GiveUp:
        """It was not."""
        self._denials += 1
        return Reconnect("Tradovate denies the market data token", _DENIED_AGAIN_S) if self._denials == 1 else GiveUp(NO_DATA)


class TradovateStreams:
    """The streams of one account."""

    def __init__(self, calls: Calls, reading: Reading, settings: Settings, means: Means | None = None) -> None:
        self._calls = calls
        self._reading = reading
        self._settings = settings
        self._means = means or Means()
        self._running = Running()

    def market(self, symbols: Mapping[str, str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Trades, quotes or minute bars of these contracts, by Tradovate's spelling."""
        door = DataDoor()

        def opening(wanted: frozenset[str]) -> tuple[Place, DataProtocol]:
            token = self._data_token()
            ids = {} if feed is Feed.BARS else self._ids(wanted)
            return Place(self._settings.data_url), DataProtocol(token, feed, wanted, ids, self._settings, door)

        return self._running.read(Stream(opening, symbols, self._means, self._data_token), feed)

    def orders(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order."""
        door = UserDoor(self._calls, self._settings)

        def opening(_: frozenset[str]) -> tuple[Place, OrdersProtocol]:
            access = door.access()
            account = self._reading.account()
            return Place(self._settings.socket_url), OrdersProtocol(
                access_token(access), self._user(access), account.number, self._settings, door
            )

        stream: Stream[OrderUpdate] = Stream(opening, means=self._means, token=self._user_token)
        return self._running.read(stream)

    def update(self, feed: Feed, add: Mapping[str, str], remove: Iterable[str]) -> None:
        """Change what the streams of this feed carry, also of those that nobody reads yet."""
        self._running.update(feed, add, remove)

    def close(self) -> None:
        """End them all."""
        self._running.close()

    def _user_token(self) -> str:
        return access_token(self._calls.access())

    def _data_token(self) -> str:
        return data_token(self._calls.access())

    def _ids(self, symbols: Iterable[str]) -> dict[str, int]:
        found = {symbol: self._reading.contract(symbol) for symbol in symbols}
        return {symbol: int(contract["id"]) for symbol, contract in found.items() if contract is not None}

    def _user(self, access: Access) -> int:
        extra = access.token.extra if access.token else {}
        if USER in extra:
            return int(extra[USER])
        listed = self._reading.accounts()
        with readable("Tradovate's accounts"):
            return int(listed[0]["userId"])

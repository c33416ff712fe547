"""The streams of one account that somebody has: new symbols are told to all of a feed, and all of them are ended together."""

from collections.abc import AsyncGenerator, Hashable, Iterable
from threading import Lock
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

Told = TypeVar("Told")
Told_co = TypeVar("Told_co", covariant=True)


class Readable(Protocol[Told_co]):
    """A stream, or several as one."""

    def events(self) -> AsyncGenerator[Told_co, None]:
        """The events as they come."""
        ...

    def update(self, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Other symbols from now on."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Running:
    """From any task or thread. A stream is forgotten with the last who holds its iterator."""

    def __init__(self) -> None:
        self._streams: WeakKeyDictionary[Readable[object], Hashable] = WeakKeyDictionary()
        self._lock = Lock()

    def read(self, stream: Readable[Told], feed: Hashable = None) -> AsyncGenerator[Told, None]:
        """Its events, once somebody asks for them."""
        with self._lock:
            self._streams[stream] = feed
        return stream.events()

    def update(self, feed: Hashable, add: Iterable[str], remove: Iterable[str]) -> None:
        """Change what the streams of this feed carry, also of those that nobody reads yet."""
        add, remove = list(add), list(remove)
        for stream in self._of(feed):
            stream.update(add, remove)

    def close(self) -> None:
        """End them all."""
        for stream in self._of():
            stream.close()

    def _of(self, *feeds: Hashable) -> list[Readable[object]]:
        with self._lock:
            return [stream for stream, feed in list(self._streams.items()) if not feeds or feed in feeds]

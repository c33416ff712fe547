"""Topics: what a connection carries that many listeners share. A topic is a channel of the venue and a symbol, as one text."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotToBeHad:
    """An event for the hub: the venue does not give these topics. Whoever wants one of them is told so, and hears the others."""

    topics: frozenset[str]
    text: str


def topic(channel: str, symbol: str) -> str:
    """The topic of a symbol (the venue's spelling) in a channel, whose name has no spaces."""
    return f"{channel} {symbol}"


def by_channel(topics: Iterable[str]) -> dict[str, list[str]]:
    """The symbols of each channel, sorted."""
    found: dict[str, list[str]] = {}
    for each in sorted(topics):
        channel, _, symbol = each.partition(" ")
        found.setdefault(channel, []).append(symbol)
    return found

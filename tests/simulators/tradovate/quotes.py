"""Quotes as Tradovate tells them: only the entries that have changed, by contract id."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fillpath.errors import Refused
from fillpath.market.bars import Quote, Trade
from fillpath.market.instruments import resolve
from tests.simulators.tradovate.gate import stamp
from tests.simulators.tradovate.world import World

Document = dict[str, Any]
_OPENING_VOLUME = 4118


class Board:
    """The contracts that one connection watches."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._watched: set[str] = set()
        self._volume: Counter[str] = Counter()

    def named(self, symbol: Any, today: date) -> str | None:
        """The contract that a name, an id or a continuous symbol means."""
        if isinstance(symbol, int):
            contract = self._world.entities["contract"].get(symbol)
            return str(contract["name"]) if contract else None
        name = str(symbol)
        if name.startswith("@"):
            try:
                name = resolve(name[1:], today).contract
            except Refused:
                return None
        return name if self._world.contract(name) else None

    def add(self, contract: str) -> None:
        """Watch it."""
        self._watched.add(contract)
        self._volume[contract] = _OPENING_VOLUME

    def remove(self, contract: str) -> None:
        """Watch it no more."""
        self._watched.discard(contract)

    def first(self, contract: str, price: Decimal, at: datetime) -> Document:
        """Everything that is known of it."""
        last = float(price)
        return self._told(
            contract,
            at,
            {
                "Bid": {"price": last, "size": 7},
                "Offer": {"price": last, "size": 9},
                "Trade": {"price": last, "size": 1},
                "TotalTradeVolume": {"size": self._volume[contract]},
                "OpenInterest": {"size": 40_702},
                "OpeningPrice": {"price": last},
                "HighPrice": {"price": last},
                "LowPrice": {"price": last},
                "SettlementPrice": {"price": last},
            },
        )

    def quote(self, quote: Quote) -> Document | None:
        """Bid and offer."""
        if quote.symbol not in self._watched:
            return None
        sides = {"Bid": (quote.bid, quote.bid_size), "Offer": (quote.ask, quote.ask_size)}
        entries = {
            name: {"price": float(price), "size": float(size)}
            for name, (price, size) in sides.items()
            if price is not None and size
        }
        return self._told(quote.symbol, quote.at, entries)

    def trade(self, trade: Trade) -> Document | None:
        """A trade, and the total that has grown by it."""
        if trade.symbol not in self._watched:
            return None
        self._volume[trade.symbol] += int(trade.size)
        entries = {
            "Trade": {"price": float(trade.price), "size": float(trade.size)},
            "TotalTradeVolume": {"size": self._volume[trade.symbol]},
        }
        return self._told(trade.symbol, trade.at, entries)

    def _told(self, contract: str, at: datetime, entries: Document) -> Document:
        known = self._world.contract(contract)
        return {"timestamp": stamp(at), "contractId": known["id"] if known else 0, "entries": entries}

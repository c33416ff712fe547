"""Prices of the simulated exchange: the last trade that is known, else a demo price that anyone can compute again.

Of trades only the last one is known, so a contract that has one has a path of one point. The path of demo prices is exact to the
second for two hours, to the minute for two days, and to the hour before that.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import blake2b

from fillpath.errors import NotFound
from fillpath.market.instruments import Instrument, instrument_of
from fillpath.market.ports.last_prices import LastPrices
from fillpath_brokers.exchange.path import Step, point, with_instants
from fillpath_brokers.exchange.touch import on_tick

_WAVES = ((8, 8), (4, 60), (2, 480), (2, 3_600))
"""Share of the swing (in sixteenths) and length in seconds of each layer of the walk."""
_ONE = 1 << 10
_GRIDS = ((2 * 3_600, 1), (2 * 86_400, 60), (None, 3_600))
"""How far back (in seconds) a path has a point each so many seconds, from the latest on."""


class Prices:
    """Where the exchange gets a contract's price from. A last trade always wins, however old."""

    def __init__(self, last_prices: LastPrices) -> None:
        self._last_prices = last_prices

    def at(self, contract: str, now: datetime) -> Decimal:
        """The price of a contract of the catalogue, on its tick. Raises StorageUnavailable."""
        return self.look(now).price(contract)

    def look(self, now: datetime) -> "Look":
        """The prices as one look at the exchange finds them; each last trade is read once."""
        return Look(self._last_prices, now)


class Look:
    """A Market over last trades and demo prices."""

    def __init__(self, last_prices: LastPrices, now: datetime) -> None:
        self.now = now
        self._last = cache(last_prices.last)

    def price(self, contract: str) -> Decimal:
        """The price of a contract of the catalogue now, on its tick."""
        instrument = instrument_of(contract)
        if instrument is None:
            raise NotFound(f"{contract} is not in the catalogue")
        last = self._last(contract)
        return on_tick(instrument, last[0]) if last else demo_price(instrument, contract, int(self.now.timestamp()))

    def steps(self, contract: str, since: datetime, instants: Iterable[datetime] = ()) -> list[Step]:
        """What the price did in (since, now]; of an instant before the last trade nothing is known."""
        instrument = instrument_of(contract)
        if instrument is None:
            raise NotFound(f"{contract} is not in the catalogue")
        last = self._last(contract)
        if last is None:
            return with_instants(
                demo_steps(instrument, contract, since, self.now),
                instants,
                lambda at: demo_price(instrument, contract, int(at.timestamp())),
            )
        price, at = on_tick(instrument, last[0]), min(last[1], self.now)
        return with_instants([point(at, price, standing=True)], [each for each in instants if each >= at], lambda _: price)


def demo_steps(instrument: Instrument, contract: str, since: datetime, until: datetime) -> Iterator[Step]:
    """The demo prices in (since, until], the oldest first."""
    for second in _seconds(since.timestamp(), int(until.timestamp())):
        yield point(datetime.fromtimestamp(second, UTC), demo_price(instrument, contract, second))


def _seconds(since: float, until: int) -> Iterator[int]:
    """Whole seconds in (since, until]: fine ones of late, coarser ones before, the same ones whoever asks when."""
    for reach, step in reversed(_GRIDS):
        begin = int(since) if reach is None else max(int(since), until - reach)
        finer = [each for each, _ in _GRIDS if each is not None and (reach is None or each < reach)]
        end = until - max(finer) if finer else until
        yield from (second for second in range((begin // step + 1) * step, end + 1, step) if second > since)


def demo_price(instrument: Instrument, contract: str, epoch_s: int) -> Decimal:
    """A smooth walk of about 0.1 % (at least 16 ticks) around the catalogue's price: a pure function of contract and second."""
    start = int(instrument.demo_price / instrument.tick_size)
    swing = max(16, start // 1_000)
    walk = sum(share * _noise(contract, length, epoch_s) for share, length in _WAVES)
    return max(1, start + swing * walk // (16 * _ONE)) * instrument.tick_size


def _noise(contract: str, length: int, epoch_s: int) -> int:
    index, offset = divmod(epoch_s, length)
    left, right = _lattice(contract, length, index), _lattice(contract, length, index + 1)
    at = offset * _ONE // length
    eased = at * at * (3 * _ONE - 2 * at) // (_ONE * _ONE)
    return left + (right - left) * eased // _ONE


@lru_cache(1 << 14)
def _lattice(contract: str, length: int, index: int) -> int:
    digest = blake2b(f"{contract}|{length}|{index}".encode(), digest_size=2).digest()
    return int.from_bytes(digest, "big") * 2 * _ONE // 65_535 - _ONE

"""Prices of the simulated exchange: the last trade that is known, else a demo price that anyone can compute again."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b

from fillpath.errors import NotFound
from fillpath.market.instruments import Instrument, instrument_of
from fillpath.market.ports.last_prices import LastPrices

_WAVES = ((8, 8), (4, 60), (2, 480), (2, 3_600))
"""Share of the swing (in sixteenths) and length in seconds of each layer of the walk."""
_ONE = 1 << 10


class Prices:
    """Where the exchange gets a contract's price from. A last trade always wins, however old."""

    def __init__(self, last_prices: LastPrices) -> None:
        self._last_prices = last_prices

    def at(self, contract: str, now: datetime) -> Decimal:
        """The price of a contract of the catalogue, on its tick. Raises StorageUnavailable."""
        instrument = instrument_of(contract)
        if instrument is None:
            raise NotFound(f"{contract} is not in the catalogue")
        last = self._last_prices.last(contract)
        return on_tick(instrument, last[0]) if last else demo_price(instrument, contract, int(now.timestamp()))


def on_tick(instrument: Instrument, price: Decimal) -> Decimal:
    """The price rounded to the nearest tick."""
    ticks = (price / instrument.tick_size).quantize(Decimal(1), ROUND_HALF_EVEN)
    return ticks * instrument.tick_size


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


def _lattice(contract: str, length: int, index: int) -> int:
    digest = blake2b(f"{contract}|{length}|{index}".encode(), digest_size=2).digest()
    return int.from_bytes(digest, "big") * 2 * _ONE // 65_535 - _ONE

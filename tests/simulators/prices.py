"""Prices of a simulated exchange: the demo path until a price is set, then the prices that were set, all of them remembered."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from fillpath.market.bars import Bar, Quote, Trade
from fillpath.market.instruments import instrument_of
from fillpath_brokers.exchange.path import Step, point, with_instants
from fillpath_brokers.exchange.prices import demo_price, demo_steps
from fillpath_brokers.exchange.touch import instrument_behind, on_tick

_SAMPLE_S = 5
MINUTE = timedelta(minutes=1)


class SetPrices:
    """Where each contract of the catalogue stood, at any instant."""

    def __init__(self) -> None:
        self._set: dict[str, list[tuple[datetime, Decimal]]] = {}

    def set(self, contract: str, price: Decimal, at: datetime) -> None:
        """From now on it stands there."""
        self._set.setdefault(contract, []).append((at, on_tick(instrument_behind(contract), price)))

    def at(self, contract: str, at: datetime) -> Decimal:
        """Where it stood."""
        known = self._set.get(contract, [])
        index = bisect_right(known, at, key=lambda each: each[0])
        return known[index - 1][1] if index else demo_price(instrument_behind(contract), contract, int(at.timestamp()))

    def steps(self, contract: str, since: datetime, until: datetime) -> Iterator[Step]:
        """What it did in (since, until]."""
        known = self._set.get(contract, [])
        first = known[0][0] if known else until
        for step in demo_steps(instrument_behind(contract), contract, since, min(first, until)):
            if not known or step.at < first:
                yield step
        yield from (point(at, price) for at, price in known if since < at <= until)
        if known and known[-1][0] <= since:  # set at the very instant of the last look, perhaps
            yield point(*known[-1], standing=True)

    def bar(self, contract: str, start: datetime, length: timedelta = MINUTE) -> Bar:
        """The bar that begins at `start`, of prices each 5 s and whatever was set between."""
        seconds = range(0, int(length.total_seconds()), _SAMPLE_S * max(1, int(length / MINUTE)))
        sampled = [self.at(contract, start + timedelta(seconds=second)) for second in seconds]
        last = start + length - timedelta(microseconds=1)
        touched = [price for at, price in self._set.get(contract, []) if start <= at <= last]
        prices = [*sampled, *touched, self.at(contract, last)]
        volume = 100 + (int(start.timestamp()) // 60 * 37 + sum(contract.encode())) % 900
        return Bar(contract, start, prices[0], max(prices), min(prices), prices[-1], Decimal(volume))

    def trade(self, contract: str, at: datetime, number: int) -> Trade:
        """A trade at the price of that instant."""
        size = Decimal(1 + number % 5) * max(Decimal(1), instrument_behind(contract).lot_step)
        return Trade(contract, at, at, self.at(contract, at), size, str(number))

    def quote(self, contract: str, at: datetime) -> Quote:
        """Bid and ask one tick around the price of that instant."""
        price, tick = self.at(contract, at), instrument_behind(contract).tick_size
        return Quote(contract, at, at, price - tick, price + tick, Decimal(10), Decimal(12))


class SetMarket:
    """A Market over them."""

    def __init__(self, prices: SetPrices, now: datetime) -> None:
        self.now = now
        self._prices = prices

    def price(self, contract: str) -> Decimal:
        """Where it stands now."""
        return self._prices.at(contract, self.now)

    def steps(self, contract: str, since: datetime, instants: Iterable[datetime] = ()) -> list[Step]:
        """What it did since then."""
        steps = self._prices.steps(contract, since, self.now)
        return with_instants(steps, instants, lambda at: self._prices.at(contract, at))


def known(contract: str) -> bool:
    """Whether the catalogue has it."""
    return instrument_of(contract) is not None

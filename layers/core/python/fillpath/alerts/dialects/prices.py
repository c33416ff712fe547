"""Exit prices that a message gives as a distance: computed from the price it carries, on the instrument's tick."""

from datetime import date
from decimal import Decimal

from fillpath.errors import Refused
from fillpath.market.instruments import resolve

_ANY_DAY = date(2000, 1, 1)
"""A tick is the same for every contract of a root."""


def beside(symbol: str, reference: Decimal, distance: Decimal, *, percent: bool, above: bool) -> Decimal:
    """The price `distance` (in price, or in percent of the reference) above or below the reference, on the nearest tick."""
    change = reference * distance / 100 if percent else distance
    price = reference + change if above else reference - change
    tick = _tick_of(symbol)
    return price if tick is None else (price / tick).to_integral_value() * tick


def _tick_of(symbol: str) -> Decimal | None:
    try:
        return resolve(symbol, _ANY_DAY).instrument.tick_size
    except Refused:
        return None

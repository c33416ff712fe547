"""reversal's adapters."""

from functools import cache

from fillpath.orders.floor import Floor
from functions.floor import trading_floor
from functions.reversal.env import env


@cache
def floor() -> Floor:
    """The order path."""
    return trading_floor(env())

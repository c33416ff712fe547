"""sweep's adapters."""

from functools import cache

from fillpath.orders.floor import Floor
from functions.floor import trading_floor
from functions.sweep.env import env


@cache
def floor() -> Floor:
    """The order path, with the right to start and look at reversals."""
    return trading_floor(env(), state_machine_arn=env().reversal_state_machine_arn)

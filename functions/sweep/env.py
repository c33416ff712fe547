"""The variables of sweep."""

import os
from functools import cache

from functions.environment import StartsReversals, TradingEnv


class Env(TradingEnv, StartsReversals):
    """Acts at brokers and starts reversals."""


@cache
def env() -> Env:
    """The process's variables, parsed once."""
    return Env.model_validate({name.lower(): value for name, value in os.environ.items()})

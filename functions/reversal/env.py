"""The variables of reversal."""

import os
from functools import cache

from functions.environment import TradingEnv


class Env(TradingEnv):
    """Acts at brokers."""


@cache
def env() -> Env:
    """The process's variables, parsed once."""
    return Env.model_validate({name.lower(): value for name, value in os.environ.items()})

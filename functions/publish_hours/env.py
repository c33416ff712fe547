"""The variables of publish_hours."""

import os
from functools import cache

from functions.environment import FunctionEnv


class Env(FunctionEnv):
    """Writes the market table."""

    market_table: str


@cache
def env() -> Env:
    """The process's variables, parsed once."""
    return Env.model_validate({name.lower(): value for name, value in os.environ.items()})

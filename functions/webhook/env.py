"""The variables of webhook."""

import os
from functools import cache

from functions.environment import FunctionEnv, WakesLanes


class Env(FunctionEnv, WakesLanes):
    """Accepts alerts. `wait_s`: how long a caller waits for the result, counted from the gateway's request time."""

    orders_table: str
    accounts_table: str
    guards_table: str
    master_key_secret_id: str
    wait_s: float


@cache
def env() -> Env:
    """The process's variables, parsed once."""
    return Env.model_validate({name.lower(): value for name, value in os.environ.items()})

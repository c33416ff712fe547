"""The variables of refresh_tokens."""

import os
from functools import cache

from functions.environment import FunctionEnv, SignsIn


class Env(FunctionEnv, SignsIn):
    """Reads accounts and keeps them signed in."""

    accounts_table: str


@cache
def env() -> Env:
    """The process's variables, parsed once."""
    return Env.model_validate({name.lower(): value for name, value in os.environ.items()})

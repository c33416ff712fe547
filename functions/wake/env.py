"""The variables of wake."""

import os
from functools import cache

from functions.environment import FunctionEnv, WakesLanes


class Env(FunctionEnv, WakesLanes):
    """Sends wake-ups and nothing else."""


@cache
def env() -> Env:
    """The process's variables, parsed once."""
    return Env.model_validate({name.lower(): value for name, value in os.environ.items()})

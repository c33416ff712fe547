"""What whoever starts a simulator may choose, and what every venue's application holds, by key."""

from collections import Counter
from dataclasses import dataclass

from aiohttp import web

from tests.simulators.exchange import SimulatedExchange
from tests.simulators.faults import Faults
from tests.simulators.sockets import Sockets


@dataclass(slots=True)
class Options:
    """`strict`: replies are checked against the venue's schema. `base_url` is set when the port is known."""

    strict: bool = False
    base_url: str = ""


EXCHANGE = web.AppKey("exchange", SimulatedExchange)
OPTIONS = web.AppKey("options", Options)
FAULTS = web.AppKey("faults", Faults)
SOCKETS = web.AppKey("sockets", Sockets)
PLACING = web.AppKey("placing", set[tuple[str, str]])
REQUESTS = web.AppKey("requests", Counter[str])

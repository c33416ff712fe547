"""What whoever starts a simulator may choose, and what every venue's application holds, by key."""

from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from tests.simulators.exchange import SimulatedExchange
from tests.simulators.faults import Faults
from tests.simulators.limits import RequestLimits
from tests.simulators.sockets import Sockets


@dataclass(slots=True)
class Options:
    """`strict`: replies are checked against the venue's schema, and what was wrong is kept in `wrong`.

    `limited`: requests are counted, and too many refused. `base_url` is set when the port is known.
    """

    strict: bool = False
    limited: bool = True
    base_url: str = ""
    wrong: list[str] = field(default_factory=list)


EXCHANGE = web.AppKey("exchange", SimulatedExchange)
OPTIONS = web.AppKey("options", Options)
FAULTS = web.AppKey("faults", Faults)
SOCKETS = web.AppKey("sockets", Sockets)
LIMITS = web.AppKey("limits", RequestLimits)
PLACING = web.AppKey("placing", set[tuple[str, str]])
REQUESTS = web.AppKey("requests", Counter[str])

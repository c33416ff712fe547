"""Tradovate on this machine: its REST API, and one WebSocket for orders and market data, all on one port.

As a client is pointed at it: REST at URL/v1, both sockets at URL/v1/websocket (ws). Fillpath takes `--endpoint`.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import FAULTS, LIMITS, PLACING, Options
from tests.simulators.server import skeleton
from tests.simulators.tradovate import rest, socket
from tests.simulators.tradovate.calls import Desk
from tests.simulators.tradovate.gate import CID, PASSWORD, SECRET, USER_NAME, Gate
from tests.simulators.tradovate.rest import DESK
from tests.simulators.tradovate.world import World

CREDENTIALS: Mapping[str, str] = {
    "environment": "demo",
    "name": USER_NAME,
    "password": PASSWORD,
    "cid": CID,
    "sec": SECRET,
    "device_id": "3b9d7a52-6a0e-4a0c-9c1e-0f6f5d1c2b7a",
}
TROUBLES: tuple[Mapping[str, Any], ...] = tuple(
    {"penalty": {"endpoint": endpoint, "time": seconds}}
    for endpoint in ("order/placeorder", "order/placeoso", "order/list")
    for seconds in (1, 15)
)
"""Faults of its own that an order has to survive."""
_SECRET = ("password", "sec")


def connection(base_url: str) -> dict[str, str]:
    """How an account's connection leads here: margin is all of the exchange's, and nobody is asked to be slow."""
    known = {name: value for name, value in CREDENTIALS.items() if name not in _SECRET}
    return {**known, "endpoint": base_url, "margin_share": "1", "requests_per_minute": "60000"}


def application(exchange: SimulatedExchange, options: Options) -> web.Application:
    """All of its routes."""
    app = skeleton(exchange, options)
    gate = Gate(app[LIMITS])
    desk = app[DESK] = Desk(exchange, World(exchange), gate)
    app[socket.TALKS] = set()
    faults = app[FAULTS]
    faults.error_body = lambda status: "" if status == 429 else {"errorText": f"simulated status {status}"}
    faults.on("expire_tokens", gate.expire)
    faults.on("unapproved_device", lambda wanted: setattr(gate, "denies", bool(wanted)))
    faults.on("no_market_data", lambda wanted: setattr(gate, "without_data", bool(wanted)))
    faults.on("login", lambda text: setattr(gate, "refusal", str(text)))
    faults.on("lifetime_s", lambda seconds: setattr(gate, "lifetime_s", float(seconds)))
    faults.on("silence_s", lambda seconds: setattr(gate, "silence_s", float(seconds)))
    faults.on("penalty", gate.punish)
    faults.on("refuse", desk.refuse)
    faults.on("shutdown", lambda reason: socket.shut_down(app, str(reason)))
    app[PLACING] |= {("POST", f"/v1/order/{name}") for name in ("placeorder", "placeoso", "placeoco")}
    app.add_routes(rest.ROUTES)
    app.add_routes(socket.ROUTES)
    return app

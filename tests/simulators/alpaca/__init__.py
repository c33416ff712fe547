"""Alpaca on this machine: trading REST v2, market data REST v2, trade_updates and the share data stream, all on one port.

As a client is pointed at it: alpaca-py takes `url_override`; Fillpath takes `--endpoint`.
"""

from collections.abc import Mapping

from aiohttp import web

from tests.simulators.alpaca import account, data, orders, streams
from tests.simulators.alpaca.errors import KEYS, Keys, error_body
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import FAULTS, PLACING, Options
from tests.simulators.server import skeleton

CREDENTIALS: Mapping[str, str] = {"environment": "paper", "key_id": "PKSIMULATED000000001", "secret_key": "simulated-secret"}


def connection(base_url: str) -> dict[str, str]:
    """How an account's connection leads here."""
    return {"endpoint": base_url}


def application(exchange: SimulatedExchange, options: Options) -> web.Application:
    """All of its routes."""
    app = skeleton(exchange, options)
    keys = app[KEYS] = Keys(CREDENTIALS["key_id"], CREDENTIALS["secret_key"])
    app[streams.OCCUPANTS] = []
    app[FAULTS].error_body = error_body
    app[FAULTS].on("expire_tokens", keys.expire)
    app[PLACING] |= {("POST", "/v2/orders")}
    for part in (orders, account, data, streams):
        app.add_routes(part.ROUTES)
    return app

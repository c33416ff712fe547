"""TradeStation on this machine: WebAPI v3 (brokerage, orders, market data, streams) and its sign-in, all on one port.

There are two accounts, as a login has them: one for futures, one for shares. Clients that cannot be pointed elsewhere need the
base URL and the address of `/oauth/token` set on their objects; Fillpath takes `--endpoint`.

Faults of its own: {"expire_tokens": true} (every access token), {"rotate_refresh_tokens": true}, {"go_away": true} and
{"dual_logon": true} (in every open stream), {"refuse_second_of_group": "text"} and {"refuse_last_exit": "text"} (of an entry with
exits; both once), {"hide_links": true | false} (orders are shown without their conditional orders).
"""

from collections.abc import Mapping

from aiohttp import web

from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import FAULTS, LIMITS, PLACING, Options
from tests.simulators.server import skeleton
from tests.simulators.tradestation import brokerage, data, execution, login, streams
from tests.simulators.tradestation.house import FUTURES, HOUSE, MARGIN, House, error_body

CREDENTIALS: Mapping[str, str] = {
    "environment": "sim",
    "client_id": "simulated-client",
    "client_secret": "simulated-secret",
    "redirect_uri": "http://localhost:8080",
    "refresh_token": "simulated-refresh-token",
}

SHARES: Mapping[str, str] = {"account": MARGIN}
"""How a connection leads to the account for shares."""


def connection(base_url: str) -> dict[str, str]:
    """How an account's connection leads here."""
    return {"endpoint": base_url, "account": FUTURES}


def application(exchange: SimulatedExchange, options: Options) -> web.Application:
    """All of its routes."""
    app = skeleton(exchange, options)
    house = app[HOUSE] = House(exchange, CREDENTIALS, app[LIMITS])
    faults = app[FAULTS]
    faults.error_body = error_body
    faults.on("expire_tokens", house.login.expire)
    faults.on("rotate_refresh_tokens", house.login.rotate)
    faults.on("go_away", lambda _: house.announce({"StreamStatus": "GoAway"}))
    faults.on("dual_logon", lambda _: house.announce({"Error": "DualLogon", "Message": "Dual logon detected."}))
    faults.on("refuse_second_of_group", house.refuse_second)
    faults.on("refuse_last_exit", house.refuse_exit)
    faults.on("hide_links", house.hide_links)
    app[PLACING] |= {("POST", execution.ORDERS), ("POST", execution.GROUPS)}
    for part in (login, brokerage, execution, data, streams):
        app.add_routes(part.ROUTES)
    return app

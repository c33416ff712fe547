"""Charles Schwab, simulated: its sign-in, trader API, market data and streamer.

{"expire_tokens": true}      every access token is over        {"expire_refresh": true}   every refresh token, too
{"most_orders": 2}           longer listings of orders than that end as a fault of the gateway
{"heartbeat_s": 1, ...}      how often the streamer beats; {"empty_s": 5} how long it bears nothing to stream
"""

from typing import Any

from aiohttp import web

from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import FAULTS, PLACING, Options
from tests.simulators.schwab import market_data, streamer, trader
from tests.simulators.schwab.auth import authorize, token
from tests.simulators.schwab.errors import body_of
from tests.simulators.schwab.state import APP_KEY, APP_SECRET, STATE, State
from tests.simulators.server import skeleton

ACCOUNT_NUMBER = "90000001"
CREDENTIALS = {"app_key": APP_KEY, "app_secret": APP_SECRET, "account": ACCOUNT_NUMBER}


def connection(base_url: str) -> dict[str, str]:
    """How an account is reached here. Tests ask more often than Schwab allows, and cut streams when they are young."""
    return {"endpoint": base_url, "account": ACCOUNT_NUMBER, "requests_per_minute": "60000", "shortest_stream_s": "0"}


def application(exchange: SimulatedExchange, options: Options) -> web.Application:
    """The application of one simulated Schwab."""
    app = skeleton(exchange, options)
    app[STATE] = state = State()
    app.router.add_get("/v1/oauth/authorize", authorize)
    app.router.add_post("/v1/oauth/token", token)
    trader.add_routes(app)
    market_data.add_routes(app)
    streamer.add_routes(app)
    app[PLACING].add(("POST", trader.ORDERS))
    faults = app[FAULTS]
    faults.error_body = body_of
    faults.on("expire_tokens", lambda _: state.access.clear())
    faults.on("expire_refresh", lambda _: state.refresh.clear())
    for name in ("most_orders", "heartbeat_s", "empty_s"):
        faults.on(name, _setting(state, name))
    return app


def _setting(state: State, name: str) -> Any:
    return lambda value: setattr(state, name, value)

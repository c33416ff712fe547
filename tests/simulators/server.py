"""The HTTP server around a simulated venue.

A venue is a package `tests/simulators/<venue>/` whose `__init__.py` has

    CREDENTIALS = {"key": "...", "secret": "..."}        # what it lets in; shown to whoever starts it
    SHARES = {"account": "..."}                          # where shares have an account of their own: how a connection leads there
    TROUBLES = ({"penalty": {...}},)                     # where it has faults of its own that orders must survive
    def application(exchange: SimulatedExchange, options: Options) -> web.Application:
        app = skeleton(exchange, options)                # faults, counts and the control routes /_sim/...
        app.router.add_post("/v2/orders", place)         # handlers: request.app[EXCHANGE], [OPTIONS], [FAULTS], [LIMITS], ...
        app[PLACING].add(("POST", "/v2/orders"))         # (method, route) of the requests that place orders, for GET /_sim/state
        app[FAULTS].error_body = lambda status: {...}    # its own body for a status that a fault asks for
        app[FAULTS].on("expire_tokens", handler)         # a fault of its own: POST /_sim/faults {"expire_tokens": true}
        return app

Control, on the same port: POST|GET|DELETE /_sim/faults (see faults.py); POST /_sim/price {symbol, price};
POST /_sim/fill_mode {name, seconds...} as the paper venue's scenarios normal (or immediate), delay, partial_fill, never_fill;
POST /_sim/account {account?, cash?, positions: {contract: {quantity, average_price}}}; POST /_sim/reset; GET /_sim/state.

In a test (marked enable_socket), in a thread of its own:

    with running("alpaca") as simulator:
        simulator.url, simulator.exchange.set_price("AAPL", Decimal(200)), simulator.faults.add({"status": 503, "times": 1})

By hand: ./fillpath simulator alpaca --port 8080
"""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal, InvalidOperation
from email.utils import format_datetime
from importlib import import_module
from pathlib import Path
from threading import Thread
from types import ModuleType

from aiohttp import web

from fillpath.errors import FillpathError
from tests.simulators.exchange import ACCOUNT, OrderRefused, SimulatedExchange
from tests.simulators.faults import Faults, Handler
from tests.simulators.limits import RequestLimits
from tests.simulators.options import EXCHANGE, FAULTS, LIMITS, OPTIONS, PLACING, REQUESTS, SOCKETS, Options
from tests.simulators.schemas import WrongReply
from tests.simulators.sockets import Sockets

HOST = "127.0.0.1"
CONTROL = "/_sim/"
_PARENT_LOOK_S = 0.5
_END_WITHIN_S = 1.0


def venues() -> tuple[str, ...]:
    """The keys of the venues that have a simulator, sorted."""
    folder = Path(__file__).parent
    return tuple(sorted(each.parent.name for each in folder.glob("*/__init__.py")))


def venue(key: str) -> ModuleType:
    """The package of a venue; LookupError names those there are."""
    if key not in venues():
        raise LookupError(f"there is no simulator of {key!r}; there are: {', '.join(venues()) or 'none yet'}")
    return import_module(f"tests.simulators.{key}")


def skeleton(exchange: SimulatedExchange, options: Options) -> web.Application:
    """An application with the control routes, and with faults and counts around everything else."""
    app = web.Application(middlewares=[_around])
    app[EXCHANGE] = exchange
    app[OPTIONS] = options
    app[SOCKETS] = Sockets()
    app[FAULTS] = Faults(app[SOCKETS], exchange.now)
    app[LIMITS] = RequestLimits(exchange.now, counting=options.limited)
    app[FAULTS].on("rate_limits", app[LIMITS].switch)
    app[PLACING] = set()
    app[REQUESTS] = Counter()
    app.router.add_post("/_sim/faults", _add_fault)
    app.router.add_get("/_sim/faults", _list_faults)
    app.router.add_delete("/_sim/faults", _clear_faults)
    app.router.add_post("/_sim/price", _set_price)
    app.router.add_post("/_sim/fill_mode", _set_fill_mode)
    app.router.add_post("/_sim/account", _set_account)
    app.router.add_post("/_sim/reset", _reset)
    app.router.add_get("/_sim/state", _state)
    app.cleanup_ctx.append(_ticking)
    app.on_response_prepare.append(_dated)
    app.on_shutdown.append(_hang_up)
    return app


@dataclass(frozen=True)
class Simulator:
    """A simulator that runs in this process. `application` holds what its venue keeps, by the keys of options.py."""

    url: str
    exchange: SimulatedExchange
    faults: Faults
    application: web.Application

    @property
    def placing(self) -> list[tuple[str, str]]:
        """Method and pattern (of the path) of every request that places an order."""
        routes = sorted(self.application[PLACING])
        return [(method, "^" + re.sub(r"\{[^}]*\}", "[^/]+", route) + r"/?(\?|$)") for method, route in routes]

    def wait_for_stream(self, patience_s: float = 10.0) -> None:
        """Until a client's stream hears what happens here."""
        give_up = time.monotonic() + patience_s
        while not len(self.exchange.events):
            if time.monotonic() > give_up:
                raise TimeoutError("nobody listens to a stream")
            time.sleep(0.01)

    @property
    def placing_requests(self) -> int:
        """How many requests to place an order it has seen, those that failed included."""
        return _placing(self.application)


Make = Callable[[SimulatedExchange, Options], web.Application]


@contextmanager
def running(what: str | Make, options: Options | None = None, exchange: SimulatedExchange | None = None) -> Iterator[Simulator]:
    """The simulator of a venue (its key, or what makes its application) on a free port, until the block ends.

    WrongReply at the end, where the strict option is on and anything was said that the venue never would, in a stream as well.
    """
    make: Make = venue(what).application if isinstance(what, str) else what
    options, exchange = options or Options(), exchange or SimulatedExchange()
    thread = _Serving(make, exchange, options)
    app = thread.started()
    try:
        yield Simulator(options.base_url, exchange, app[FAULTS], app)
    finally:
        thread.end()
    if options.wrong:
        raise WrongReply("; ".join(options.wrong))


class _Serving:
    """An application in a thread and an event loop of its own."""

    def __init__(self, make: Make, exchange: SimulatedExchange, options: Options) -> None:
        self._make, self._exchange, self._options = make, exchange, options
        self._ready: Future[web.Application] = Future()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._thread = Thread(target=self._work, name="simulator", daemon=True)

    def started(self) -> web.Application:
        """Start it; raises what kept it from starting."""
        self._thread.start()
        return self._ready.result()

    def end(self) -> None:
        """End it, and wait until it has ended."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _work(self) -> None:
        try:
            # A Runner also ends the streams whose client has gone, of which aiohttp no longer knows.
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception as exc:  # noqa: BLE001  whoever waits for the start is told
            self._ready.set_exception(exc)

    async def _serve(self) -> None:
        app = self._make(self._exchange, self._options)
        runner, self._options.base_url = await _start(app, 0)
        self._ready.set_result(app)
        await self._ended.wait()
        await runner.cleanup()


def main(key: str, port: int, *, as_json: bool, strict: bool, until_stdin_closes: bool) -> int:
    """Serve a venue until a signal, or until the process that started this one is gone; answers the exit code."""
    try:
        package = venue(key)
    except LookupError as exc:
        print(exc, file=sys.stderr)
        return 2
    asyncio.run(_serve_alone(key, package, Options(strict=strict), port, as_json, until_stdin_closes))
    return 0


async def _serve_alone(key: str, package: ModuleType, options: Options, port: int, as_json: bool, stdin: bool) -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    watching = asyncio.create_task(_parent_gone(ended))
    if stdin:
        loop.add_reader(sys.stdin, lambda: ended.set() if not os.read(sys.stdin.fileno(), 1) else None)
    runner, options.base_url = await _start(package.application(SimulatedExchange(), options), port)
    _announce(key, package, options.base_url, as_json=as_json)
    await ended.wait()
    watching.cancel()
    await runner.cleanup()


async def _parent_gone(ended: asyncio.Event) -> None:
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  nothing tells it
        await asyncio.sleep(_PARENT_LOOK_S)
    ended.set()


async def _start(app: web.Application, port: int) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_WITHIN_S)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port)
    await site.start()
    return runner, f"http://{HOST}:{runner.addresses[0][1]}"


def _announce(key: str, package: ModuleType, url: str, *, as_json: bool) -> None:
    credentials: Mapping[str, str] = package.CREDENTIALS
    if as_json:
        print(json.dumps({"venue": key, "url": url, "credentials": dict(credentials)}), flush=True)
        return
    print(f"{key} is simulated at {url}")
    for name, value in credentials.items():
        print(f"  {name}: {value}")
    print(f"Control: {url}{CONTROL}state, price, faults, fill_mode, account, reset. Ctrl-C ends it.", flush=True)


@web.middleware
async def _around(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith(CONTROL):
        return await _controlled(request, handler)
    request.app[REQUESTS][_route(request)] += 1
    return await request.app[FAULTS].around(request, handler)


async def _controlled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is wrong with a control request is told as text: a person or a test reads it."""
    try:
        return await handler(request)
    except KeyError as exc:
        return web.json_response({"error": f"{exc.args[0]} is missing"}, status=400)
    except (ValueError, TypeError, InvalidOperation, FillpathError, OrderRefused) as exc:
        return web.json_response({"error": str(exc)}, status=400)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else request.path}"


def _placing(app: web.Application) -> int:
    return sum(app[REQUESTS][f"{method} {route}"] for method, route in app[PLACING])


async def _ticking(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[EXCHANGE].run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _dated(request: web.Request, response: web.StreamResponse) -> None:
    """A venue's answers tell the time by its own clock, not by that of the machine."""
    response.headers["Date"] = format_datetime(request.app[EXCHANGE].now().astimezone(UTC), usegmt=True)


async def _hang_up(app: web.Application) -> None:
    """Nobody waits for streams that would go on for ever."""
    app[SOCKETS].drop()


async def _add_fault(request: web.Request) -> web.Response:
    request.app[FAULTS].add(await request.json())
    return await _list_faults(request)


async def _list_faults(request: web.Request) -> web.Response:
    return web.json_response({"faults": request.app[FAULTS].listed()})


async def _clear_faults(request: web.Request) -> web.Response:
    request.app[FAULTS].clear()
    return await _list_faults(request)


async def _set_price(request: web.Request) -> web.Response:
    wanted = await request.json()
    request.app[EXCHANGE].set_price(wanted["symbol"], Decimal(str(wanted["price"])))
    return web.json_response({})


async def _set_fill_mode(request: web.Request) -> web.Response:
    wanted = {key: str(value) for key, value in (await request.json()).items()}
    request.app[EXCHANGE].set_fill_mode(wanted.pop("name"), **wanted)
    return web.json_response({})


async def _set_account(request: web.Request) -> web.Response:
    wanted = await request.json()
    exchange, account = request.app[EXCHANGE], wanted.get("account", ACCOUNT)
    if "cash" in wanted:
        exchange.set_cash(Decimal(str(wanted["cash"])), account)
    for contract, held in wanted.get("positions", {}).items():
        exchange.set_position(contract, Decimal(str(held["quantity"])), Decimal(str(held["average_price"])), account)
    return web.json_response(exchange.state())


async def _reset(request: web.Request) -> web.Response:
    request.app[EXCHANGE].reset()
    request.app[FAULTS].clear()
    request.app[REQUESTS].clear()
    request.app[LIMITS].forget()
    return web.json_response({})


async def _state(request: web.Request) -> web.Response:
    app = request.app
    return web.json_response(
        {
            **app[EXCHANGE].state(),
            "requests": dict(app[REQUESTS]),
            "placing_requests": _placing(app),
            "refused_as_too_many": app[LIMITS].refused,
            "faults": app[FAULTS].listed(),
            "open_streams": sorted(line.name for line in app[SOCKETS]),
        }
    )

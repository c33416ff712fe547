"""Replies of simulators against schemas: what a venue would not send is found, in a stream as well."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import OPTIONS, Options
from tests.simulators.schemas import Schemas, WrongReply
from tests.simulators.server import running, skeleton

ORDER = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "at": {"type": "string", "format": "date-time"},
        "legs": {"type": "array", "items": {"$ref": "#/$defs/Order"}},
        "extras": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
    },
}
ONE, TWO = "61e69015-8549-4bfd-b9c3-01e75843f47d", "0d2d6f2e-3f0e-4c7b-8d58-2a1c8a1f0002"
Handler = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture
def schemas(tmp_path: Path) -> Schemas:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps({"$defs": {"Order": ORDER}}))
    return Schemas(file)


def test_a_reply_that_the_venue_would_not_send_is_found(schemas: Schemas) -> None:
    schemas.check("Order", {"id": ONE, "legs": [{"id": TWO}]})
    with pytest.raises(WrongReply, match=r"legs\[0\].*'id' is a required property"):
        schemas.check("Order", {"id": ONE, "legs": [{}]})
    with pytest.raises(WrongReply, match="no definition of Position"):
        schemas.check("Position", {})


def test_so_is_a_property_that_no_definition_knows(schemas: Schemas) -> None:
    with pytest.raises(WrongReply, match=r"legs\[0\].*'ad' was unexpected"):
        schemas.check("Order", {"id": ONE, "legs": [{"id": TWO, "ad": "2026-11-25T15:04:05Z"}]})
    schemas.check("Order", {"id": ONE, "extras": {"b": "what the definition says of others"}})
    with pytest.raises(WrongReply, match="extras"):
        schemas.check("Order", {"id": ONE, "extras": {"b": 1}})


@pytest.mark.parametrize("at", ["2026-11-25T15:04:05Z", "2026-11-25T15:04:05.123456789Z", "2026-11-25T10:04:05.1-05:00"])
def test_an_instant_is_an_instant(schemas: Schemas, at: str) -> None:
    schemas.check("Order", {"id": ONE, "at": at})


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "not-a-uuid"},
        {"at": "yesterday"},
        {"at": "2026-11-25"},
        {"at": "2026-11-25T15:04:05"},
        {"at": "2026-11-25 15:04:05Z"},
        {"at": "2026-02-30T15:04:05Z"},
        {"at": 1},
    ],
)
def test_what_is_in_no_form_is_found(schemas: Schemas, wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongReply, match=f"{next(iter(wrong))}: .* is not (a '|of type)"):
        schemas.check("Order", {"id": ONE, **wrong})


def made(handler: Handler) -> Callable[[SimulatedExchange, Options], web.Application]:
    def application(exchange: SimulatedExchange, options: Options) -> web.Application:
        app = skeleton(exchange, options)
        app.router.add_get("/", handler)
        return app

    return application


@pytest.mark.integration
@pytest.mark.enable_socket
class TestAtASimulator:
    def test_replies_are_checked_where_that_is_wanted(self, schemas: Schemas) -> None:
        async def wrong(request: web.Request) -> web.Response:
            return schemas.answer(request, "Order", {"id": Decimal("1.5")})

        with running(made(wrong)) as simulator:
            assert httpx.get(simulator.url).json() == {"id": 1.5}
        with pytest.raises(WrongReply, match=r"1\.5 is not of type"), running(made(wrong), Options(strict=True)) as simulator:
            assert httpx.get(simulator.url).status_code == 500

    def test_what_was_wrong_where_nobody_heard_of_it_is_told_at_the_end(self, schemas: Schemas) -> None:
        async def quiet(request: web.Request) -> web.Response:
            with suppress(WrongReply):
                schemas.told(request.app[OPTIONS], "Order", {})
            return web.Response()

        with pytest.raises(WrongReply, match="'id' is a required"), running(made(quiet), Options(strict=True)) as simulator:
            assert httpx.get(simulator.url).status_code == 200

"""An account at Alpaca whose connections a test holds, in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from fillpath.accounts.model import Account
from fillpath.errors import FillpathError
from fillpath_brokers.alpaca.venue import AlpacaBroker
from fillpath_brokers.streaming.driver import Means
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web
from tests.brokers.services import services_on
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.async_clock import FakeAsyncClock
from tests.fakes.clock import FakeClock
from tests.fakes.connections import FakeConnection, FakeConnector
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger

KEYS = {"key_id": "PKTEST", "secret_key": "s3cret"}


def broker(
    answer: Callable[[httpx.Request], httpx.Response] | None = None, means: Means | None = None, **given: Any
) -> AlpacaBroker:
    """One account that is signed in, at an Alpaca that answers so; what is `given` by name stands in for its fake."""
    clock = FakeClock()
    tokens = TokenStore(FakeAccessVault(), FakeTokenLedger(), clock)
    tokens.keep("A1", KEYS, None, "a person")
    accounts = FakeAccountStore()
    accounts.save(Account(account_id="A1", user_id="U1", venue="alpaca", label="shares", created_at=clock.now()))
    client = httpx.Client(transport=httpx.MockTransport(answer or (lambda _: httpx.Response(500))))
    web = Web(FakeRateLimits(clock), clock, client)
    return AlpacaBroker("A1", services_on(clock, accounts=accounts, tokens=tokens, web=web, **given), means)


@dataclass
class Heard:
    """What came out of an iterator, and how it ended."""

    events: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    over: bool = False


class Scene:
    """Iterators are read in tasks of their own."""

    def __init__(self) -> None:
        self.clock, self.connector = FakeAsyncClock(), FakeConnector()
        self.broker = broker(means=Means(self.connector, self.clock, lambda: 1.0, _here))
        self.tasks: list[asyncio.Task[None]] = []

    def listen(self, events: AsyncIterator[Any]) -> tuple[Heard, asyncio.Task[None]]:
        """Read it until it ends or the task is cancelled."""
        heard = Heard()

        async def read() -> None:
            try:
                async for event in events:
                    heard.events.append(event)
            except FillpathError as exc:
                heard.error = exc
            finally:
                heard.over = True
                await events.aclose()  # type: ignore[attr-defined]  # an async generator

        task = asyncio.create_task(read())
        self.tasks.append(task)
        return heard, task

    async def ready(self, number: int = 1) -> FakeConnection:
        """The connection of this number, signed in, with what was asked for at first."""
        await self.clock.until(lambda: len(self.connector.connections) >= number)
        connection = self.connector.connections[number - 1]
        for message in ({"T": "success", "msg": "connected"}, {"T": "success", "msg": "authenticated"}, {"T": "subscription"}):
            await self.says(connection, message)
        return connection

    async def says(self, connection: FakeConnection, *messages: dict[str, Any]) -> None:
        """Alpaca sends this."""
        connection.hears(json.dumps(list(messages)))
        await self.clock.settle()


async def _here(call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


def play(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    async def scene() -> None:
        set_up = Scene()
        try:
            await story(set_up)
        finally:
            for task in set_up.tasks:
                task.cancel()
            await asyncio.gather(*set_up.tasks, return_exceptions=True)

    asyncio.run(scene())


def asked(connection: FakeConnection) -> list[dict[str, Any]]:
    """What the connection was asked for, without the keys."""
    return [message for frame in connection.sent if (message := json.loads(frame))["action"] != "auth"]

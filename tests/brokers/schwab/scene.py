"""An account at Schwab whose streamer connections a test holds, in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from fillpath.errors import FillpathError
from fillpath_brokers.schwab.venue import SchwabBroker
from fillpath_brokers.streaming.driver import Means
from tests.brokers.schwab.site import Answering, Bench, answers
from tests.fakes.async_clock import FakeAsyncClock
from tests.fakes.connections import FakeConnection, FakeConnector


@dataclass
class Heard:
    """What came out of an iterator, and how it ended."""

    events: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    over: bool = False


class Scene:
    """An account whose connections the test holds; iterators are read in tasks of their own."""

    def __init__(self, table: dict[str, Answering] | None = None, **connection: str) -> None:
        self.bench = Bench({"GET /userPreference": answers("user_preference"), **(table or {})}, **connection)
        self.clock, self.connector = FakeAsyncClock(), FakeConnector()
        means = Means(self.connector, self.clock, lambda: 1.0, _here)
        self.broker = SchwabBroker("A1", self.bench.services, means)
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

    async def until(self, condition: Callable[[], object]) -> None:
        """Move on until it holds."""
        await self.clock.until(condition)

    async def ready(self, number: int = 1) -> FakeConnection:
        """The connection of this number, signed in, with all its commands answered."""
        await self.until(lambda: len(self.connector.connections) >= number)
        connection = self.connector.connections[number - 1]
        await self.answered(connection)
        return connection

    async def answered(self, connection: FakeConnection) -> None:
        """Every command that was sent so far and those that follow get their answer."""
        told = getattr(connection, "told", 0)
        await self.clock.settle()
        while told < len(connection.sent):
            [request] = json.loads(connection.sent[told])["requests"]
            told += 1
            content = {"code": 0, "msg": "ok"}
            names = ("service", "command", "requestid")
            connection.hears(json.dumps({"response": [{**{name: request[name] for name in names}, "content": content}]}))
            await self.clock.settle()
        connection.told = told  # type: ignore[attr-defined]  # the test's own note

    async def says(self, connection: FakeConnection, service: str, *content: dict[str, Any]) -> None:
        """Data of a service."""
        connection.hears(json.dumps({"data": [{"service": service, "timestamp": 1, "content": list(content)}]}))
        await self.clock.settle()

    async def activity(
        self, connection: FakeConnection, seq: int, kind: str = "OrderFillCompleted", account: str = "90000001"
    ) -> None:
        """Word of a changed order."""
        message = json.dumps({"SchwabOrderID": "1002881234001", "AccountNumber": account})
        row = {"seq": seq, "key": "Account Activity", "1": account, "2": kind, "3": message}
        await self.says(connection, "ACCT_ACTIVITY", row)


async def _here(call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


def play(
    story: Callable[[Scene], Coroutine[Any, Any, None]], table: dict[str, Answering] | None = None, **connection: str
) -> None:
    async def scene() -> None:
        set_up = Scene(table, **connection)
        try:
            await story(set_up)
        finally:
            for task in set_up.tasks:
                task.cancel()
            await asyncio.gather(*set_up.tasks, return_exceptions=True)

    asyncio.run(scene())


def commands(connection: FakeConnection) -> list[tuple[str, str, str]]:
    requests = [json.loads(frame)["requests"][0] for frame in connection.sent]
    return [(each["command"], each["service"], each["parameters"].get("keys", "")) for each in requests]

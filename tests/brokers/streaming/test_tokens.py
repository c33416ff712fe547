"""New tokens of an account, as a running connection is told of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fillpath.errors import NotSent
from fillpath_brokers.streaming.tokens import LOOK_EVERY_S, TokenWatch
from tests.fakes.async_clock import FakeAsyncClock


class Scene:
    """A watch over a token that a test sets; an exception is raised in its place."""

    def __init__(self) -> None:
        self.token: str | Exception = "one"
        self.told: list[str] = []
        self.clock = FakeAsyncClock()
        self.watch = TokenWatch(self._read, self.clock, _at_once)

    async def follow(self) -> None:
        while True:
            self.told.append(await self.watch.changed())

    def _read(self) -> str:
        if isinstance(self.token, Exception):
            raise self.token
        return self.token


async def _at_once(call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


def play(story: Callable[[Scene], Awaitable[None]]) -> list[str]:
    async def run() -> list[str]:
        scene = Scene()
        following: asyncio.Task[None] | None = None
        try:
            await scene.watch.before_opening()
            following = asyncio.create_task(scene.follow())
            await story(scene)
        finally:
            if following:
                following.cancel()
        return scene.told

    return asyncio.run(run())


def test_each_new_token_is_told_once() -> None:
    async def story(scene: Scene) -> None:
        await scene.clock.advance(3 * LOOK_EVERY_S)
        for token in ("two", "three"):
            scene.token = token
            await scene.clock.advance(3 * LOOK_EVERY_S)

    assert play(story) == ["two", "three"]


def test_a_token_that_changed_while_the_connection_was_made_is_told() -> None:
    async def story(scene: Scene) -> None:
        scene.token = "two"
        await scene.clock.advance(LOOK_EVERY_S)

    assert play(story) == ["two"]


def test_a_token_that_cannot_be_read_is_looked_for_again() -> None:
    async def story(scene: Scene) -> None:
        scene.token = NotSent("it is being renewed")
        await scene.clock.advance(2 * LOOK_EVERY_S)
        scene.token = "one"
        await scene.clock.advance(LOOK_EVERY_S)
        scene.token = "two"
        await scene.clock.advance(LOOK_EVERY_S)

    assert play(story) == ["two"]

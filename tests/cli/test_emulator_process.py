"""The emulator's state is saved on request, and from then on again and again until it is held."""

import asyncio
from typing import Any

import pytest

from cli.emulator_process import HOLD, SAVE, Saving, snapshot


class Emulator:
    """Counts what reaches ministack, and the saves of the whole and of a part."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.saved: list[bool] = []
        self.saved_thrice = asyncio.Event()
        self.saving = Saving(self._app, self._save, every_s=0.001)

    async def _app(self, scope: Any, _receive: Any, _send: Any) -> None:
        self.asked.append(scope["path"])

    def _save(self, *, whole: bool) -> None:
        self.saved.append(whole)
        if len(self.saved) == 3:
            self.saved_thrice.set()

    async def post(self, path: str, method: str = "POST") -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise AssertionError

        await self.saving({"type": "http", "path": path, "method": method}, receive, send)
        return sent


def test_it_saves_everything_at_once_and_then_what_trading_changes() -> None:
    async def story() -> list[bool]:
        emulator = Emulator()
        (start, _) = await emulator.post(SAVE)
        assert start["status"] == 204
        assert emulator.saved == [True]
        await asyncio.wait_for(emulator.saved_thrice.wait(), 10)
        return emulator.saved[:3]

    assert asyncio.run(story()) == [True, False, False]


def test_it_saves_no_more_once_it_is_held() -> None:
    async def story() -> None:
        emulator = Emulator()
        await emulator.post(SAVE)
        await emulator.post(HOLD)
        saved = len(emulator.saved)
        await asyncio.sleep(0.02)
        assert len(emulator.saved) == saved

    asyncio.run(story())


@pytest.mark.parametrize(("path", "method"), [("/", "POST"), (SAVE, "GET")])
def test_all_else_is_the_emulators(path: str, method: str) -> None:
    emulator = Emulator()
    assert asyncio.run(emulator.post(path, method)) == []
    assert emulator.asked == [path]


def test_state_that_changes_while_it_is_copied_is_copied_again() -> None:
    attempts = []

    def busy() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise RuntimeError("dictionary changed size during iteration")
        return "copy"

    assert snapshot({"sqs": busy}) == {"sqs": "copy"}

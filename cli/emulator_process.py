"""The emulator's own process: ministack, which by itself saves its state only when it ends in order, and here also on request.

`POST /_fillpath/save` saves now and from then on every half minute; `POST /_fillpath/hold` ends that until the next request,
because stacks that are saved in the middle of a deployment could never be deployed again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Protocol

SAVE, HOLD = "/_fillpath/save", "/_fillpath/hold"
SAVE_EVERY_S = 30.0
ATTEMPTS = 5
# Nine tenths of all, and changed by deployments only: saved on request, so that the half-minutely save holds nobody up.
DEPLOYED = frozenset({"cloudformation", "lambda"})

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class Save(Protocol):
    """Writes the state of every service, or, unless it is to be the whole, of those that trading changes."""

    def __call__(self, *, whole: bool) -> None:
        """Raises RuntimeError if the state cannot be copied for being changed."""


class Saving:
    """ministack's ASGI application with the two requests before it."""

    def __init__(self, app: App, save: Save, every_s: float = SAVE_EVERY_S) -> None:
        self._app = app
        self._save = save
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection's request, as ASGI defines it."""
        if scope["type"] != "http" or scope["path"] not in {SAVE, HOLD} or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if self._task is not None:
            self._task.cancel()
        if scope["path"] == SAVE:
            self._save(whole=True)
            self._task = asyncio.create_task(self._go_on())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            with suppress(RuntimeError):  # busier than ever: the next time is soon
                self._save(whole=False)


def main() -> None:
    """Runs until it is told to end."""
    # Its modules read their environment and prepare everything when they are imported.
    from ministack import app as emulator  # noqa: PLC0415  heavy, and only this process needs it
    from ministack.core.persistence import save_state  # noqa: PLC0415  the same

    def save(*, whole: bool) -> None:
        services = emulator._build_persistence_save_dict()  # noqa: SLF001  it has no public name
        wanted = {name: get_state for name, get_state in services.items() if whole or name not in DEPLOYED}
        for service, state in snapshot(wanted).items():
            if state is not None:
                save_state(service, state)

    logging.getLogger("persistence").setLevel(logging.WARNING)
    emulator.app = Saving(emulator.app, save)
    emulator.main()


def snapshot(services: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """The state of all services of one moment; raises RuntimeError if they changed under every attempt's hands."""
    for _ in range(ATTEMPTS - 1):
        with suppress(RuntimeError):  # threads of the emulator change what is being copied
            return {name: get_state() for name, get_state in services.items()}
    return {name: get_state() for name, get_state in services.items()}


if __name__ == "__main__":
    main()

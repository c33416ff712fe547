"""Ports that fail once or twice, at a call that is chosen by its number or its name: before its effect or after it."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from fillpath.errors import BrokerUnavailable, StorageUnavailable
from fillpath.orders.floor import Floor
from fillpath.orders.outcomes import Unknown

_HARMLESS = {"clock", "telemetry"}


class ProcessDied(Exception):
    """The process that ran the use case ended here; nobody handles this."""


@dataclass
class Fuse:
    """Blows at the `number`-th call that counts, before it or `after` its effect, as a death or as an `error`.

    `again`: so many calls later it blows once more.
    """

    number: int = 1
    after: bool = False
    error: bool = False
    only: str | None = None
    again: int | None = None
    calls: list[str] = field(default_factory=list)

    def blows(self, call: str) -> bool:
        """Count the call; whether it is the one."""
        if self.only in {None, call}:
            self.calls.append(call)
            return len(self.calls) in {self.number, self.number + (self.again or 0)}
        return False

    def fail(self, call: str) -> Any:
        """What the caller gets instead of an answer."""
        if not self.error:
            raise ProcessDied(call)
        if call == "desk.submit":
            return Unknown("time-out")
        if call.startswith("desk."):
            raise BrokerUnavailable(call)
        raise StorageUnavailable(call)


class _Fused:
    """One port on a fuse."""

    def __init__(self, name: str, port: Any, fuse: Fuse) -> None:
        self._name, self._port, self._fuse = name, port, fuse

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call, real = f"{self._name}.{method}", getattr(self._port, method)
        return real if call == "desk.capabilities" else lambda *given, **named: self._call(call, real, given, named)

    def _call(self, call: str, real: Callable[..., Any], given: Any, named: Any) -> Any:
        blows = self._fuse.blows(call)
        if blows and not self._fuse.after:
            return self._fuse.fail(call)
        answer = real(*given, **named)
        return self._fuse.fail(call) if blows else answer


def fused(floor: Floor, fuse: Fuse) -> Floor:
    """The floor with every port on one fuse."""
    ports = {each.name: getattr(floor, each.name) for each in fields(floor) if each.name not in _HARMLESS}
    return replace(floor, **{name: _Fused(name, port, fuse) for name, port in ports.items()})

"""Scenarios: what a paper account does out of the ordinary. In: a name and `key=value` settings as typed. Out: a `Scenario`.

=============  ==============================================  =============================================================
name           settings (default)                              what happens
=============  ==============================================  =============================================================
normal                                                         nothing out of the ordinary
delay          seconds (2)                                     orders fill only that long after they were placed
partial_fill   fraction (0.5), then never|complete (never),    that part of an order fills, in whole lots; the rest keeps
               after (2)                                       working, or fills `after` seconds
never_fill                                                     orders are accepted and never fill
reject         reason, delay (1, of rate_limited),             orders are refused; with precheck=false only when they are
               precheck true|false (true)                      sent, not when it is asked beforehand
timeout        when before|after                               no answer: before the order was taken, or after
crash          when before|after                               the calling process ends there
=============  ==============================================  =============================================================

All but `normal` take `times` (how many submits; unlimited, crash 1), and can be limited to legs of a `leg` name (`protect`
means `protect-1` too), a `side` or a `root`.
`NAME=VALUE` is short for a name with its first setting: `crash=before`, `reject=market_closed`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from fillpath.errors import Refused
from fillpath.market.instruments import instruments
from fillpath.orders.model import Leg, Side

REASONS = ("insufficient_margin", "market_closed", "invalid_symbol", "rate_limited", "position_mode")
LONGEST_S = 86_400


@dataclass(frozen=True, slots=True)
class Scenario:
    """One account's scenario. `settings` holds every value as text, defaults included."""

    name: str = "normal"
    settings: Mapping[str, str] = field(default_factory=dict)

    def applies(self, leg: Leg, root: str) -> bool:
        """Whether a submit of this leg is touched by it."""
        wanted = {key: self.settings.get(key) for key in ("leg", "side", "root")}
        return (
            self.name != "normal"
            and wanted["leg"] in (None, leg.leg, leg.leg.partition("-")[0])
            and wanted["side"] in (None, leg.side.value)
            and wanted["root"] in (None, root)
        )

    def used(self) -> "Scenario":
        """The scenario after one more submit: normal once its `times` are up."""
        if "times" not in self.settings:
            return self
        left = int(self.settings["times"]) - 1
        return replace(self, settings={**self.settings, "times": str(left)}) if left else Scenario()

    def number(self, key: str) -> Decimal:
        """A setting that is a number."""
        return Decimal(self.settings[key])

    def to_document(self) -> dict[str, str]:
        """The scenario as stored."""
        return {"name": self.name, **self.settings}


NORMAL = Scenario()


def from_document(document: Mapping[str, Any]) -> Scenario:
    """The scenario of its stored form."""
    return Scenario(document["name"], {key: value for key, value in document.items() if key != "name"})


def parse(name: str, settings: Mapping[str, str] | None = None) -> Scenario:
    """The scenario that was typed; Refused(invalid_scenario) names the field that is wrong and what it may be."""
    name, values = _expand(name.strip(), dict(settings or {}))
    known = _kind(name)
    for key in values:
        if key not in known.fields:
            raise _refused(key, f"{name} has no setting {key!r}", sorted(known.fields) or ["none"])
    for key in known.required:
        if key not in values:
            raise _refused(key, f"{name} needs it", [_FIELDS[key].allowed])
    return Scenario(name, {key: _read(key, value) for key, value in {**known.defaults, **values}.items()})


class _Field(NamedTuple):
    read: Callable[[str], str]
    allowed: str


class _Kind(NamedTuple):
    short: str | None = None
    defaults: Mapping[str, str] = {}
    required: tuple[str, ...] = ()
    common: tuple[str, ...] = ("times", "leg", "side", "root")

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((*self.defaults, *self.required, *self.common))


def _expand(name: str, values: dict[str, str]) -> tuple[str, dict[str, str]]:
    name, equals, value = name.partition("=")
    if not equals:
        return name, values
    short = _kind(name).short
    if short is None:
        raise _refused("name", f"{name} takes no value", [name])
    return name, {short: value, **values}


def _kind(name: str) -> _Kind:
    if name not in _KINDS:
        raise _refused("name", f"there is no scenario {name!r}", list(_KINDS))
    return _KINDS[name]


def _read(key: str, text: str) -> str:
    try:
        return _FIELDS[key].read(text.strip())
    except (ValueError, InvalidOperation, KeyError):
        raise _refused(key, f"{text!r} is not valid", [_FIELDS[key].allowed]) from None


def _refused(key: str, problem: str, allowed: list[str]) -> Refused:
    text = f"{key}: {problem}; allowed: {', '.join(allowed)}"
    return Refused("invalid_scenario", text, {"field": key, "allowed": allowed})


def _one_of(*allowed: str) -> _Field:
    def read(text: str) -> str:
        if text.lower() not in allowed:
            raise ValueError(text)
        return text.lower()

    return _Field(read, "|".join(allowed))


def _number(low: Decimal, high: Decimal, allowed: str, *, exclusive: bool = False) -> _Field:
    def read(text: str) -> str:
        value = Decimal(text)
        inside = low < value < high if exclusive else low <= value <= high
        if not value.is_finite() or not inside:
            raise ValueError(text)
        return format(value, "f")

    return _Field(read, allowed)


def _times(text: str) -> str:
    if int(text) < 1:
        raise ValueError(text)
    return str(int(text))


def _leg(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


_SECONDS = _number(Decimal(0), Decimal(LONGEST_S), f"seconds from 0 to {LONGEST_S}")
_FIELDS: dict[str, _Field] = {
    "seconds": _SECONDS,
    "after": _SECONDS,
    "delay": _SECONDS,
    "fraction": _number(Decimal(0), Decimal(1), "a number between 0 and 1", exclusive=True),
    "then": _one_of("never", "complete"),
    "reason": _one_of(*REASONS),
    "precheck": _one_of("true", "false"),
    "when": _one_of("before", "after"),
    "times": _Field(_times, "a whole number from 1"),
    "leg": _Field(_leg, "the name of a leg, such as close or open"),
    "side": _one_of(*(side.value for side in Side)),
    "root": _Field(lambda text: instruments()[text.upper()].root, "a root of the catalogue, such as ES"),
}
_KINDS: dict[str, _Kind] = {
    "normal": _Kind(common=()),
    "delay": _Kind("seconds", {"seconds": "2"}),
    "partial_fill": _Kind("fraction", {"fraction": "0.5", "then": "never", "after": "2"}),
    "never_fill": _Kind(),
    "reject": _Kind("reason", {"delay": "1", "precheck": "true"}, ("reason",)),
    "timeout": _Kind("when", {}, ("when",)),
    "crash": _Kind("when", {"times": "1"}, ("when",)),
}

"""A webhook's settings: texts as typed come in by the name of their option, what is to be changed on the webhook goes out."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from cli.labels import clean_label
from cli.problem import Problem
from cli.webhooks import parse_gate, parse_limit, parse_wait
from fillpath.accounts.model import QuantityIs, SecretIn, TimeOf
from fillpath.alerts.body import read_message
from fillpath.errors import Refused
from fillpath.market.instruments import resolve

# An alert is known again for two days; whatever may still be taken must be younger.
MOST_S = 86400
MOST_WINDOWS = 10
MOST_SYMBOLS = 500

Choice = TypeVar("Choice", bound=StrEnum)
Typed = Mapping[str, str | Sequence[str] | None]


def parse_settings(typed: Typed) -> dict[str, Any]:
    """What to change on a webhook; options that were not given change nothing. Raises Problem naming the option."""
    given = {name: value for name, value in typed.items() if value or (name == "label" and value is not None)}
    sample = given.pop("sample", None)
    if sample is not None and given.get("map") in {None, "none"}:
        raise Problem("--sample: belongs to --map FILE", hint="both together: --map FILE --sample FILE")
    update = dict(_PARSERS[name](value) for name, value in given.items() if name != "map")
    return update if "map" not in given else update | {"mapping": _mapping(str(given["map"]), sample)}


def _choice(option: str, choices: type[Choice], text: str) -> Choice:
    try:
        return choices(text.lower())
    except ValueError:
        raise Problem(f"{option}: there is no {text!r}", hint=f"one of {', '.join(choices)}") from None


def _seconds(option: str, least: int, text: str) -> int:
    if least == 0 and text.lower() == "none":
        return 0
    if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= MOST_S:
        hint = f"a whole number from {least} to {MOST_S}" + (", or none" if least == 0 else "")
        raise Problem(f"{option}: {text!r} is not a number of seconds", hint=hint)
    return int(text)


def _symbols(text: str) -> tuple[str, ...]:
    if text.strip().lower() == "all":
        return ()
    return tuple(dict.fromkeys(_root("--symbols", symbol) for symbol in text.split(",")))


def _root(option: str, symbol: str) -> str:
    try:
        return resolve(symbol, datetime.now(UTC).date()).instrument.root
    except Refused as refusal:
        raise Problem(f"{option}: {refusal.message}") from refusal


def _windows(texts: Sequence[str]) -> tuple[str, ...]:
    from fillpath.alerts.window import parse_window  # noqa: PLC0415  only who sets a window loads time zones

    if [text.strip().lower() for text in texts] == ["none"]:
        return ()
    if len(texts) > MOST_WINDOWS:
        raise Problem(f"--window: {len(texts)} windows; a webhook has at most {MOST_WINDOWS}")
    for text in texts:
        try:
            parse_window(text)
        except Refused as refusal:
            raise Problem(f"--window: {refusal.message}") from refusal
    return tuple(" ".join(text.split()) for text in texts)


def _symbol_map(name: str) -> dict[str, str]:
    if name.lower() == "none":
        return {}
    try:
        content = json.loads(_read("--symbol-map", name))
    except ValueError as error:
        raise Problem(f"--symbol-map: {name} is not JSON ({error})") from error
    if not isinstance(content, dict) or not all(isinstance(symbol, str) for symbol in content.values()):
        raise Problem(f"--symbol-map: {name} must hold one JSON object of texts", hint='such as {"SPX500": "ES1!"}')
    if len(content) > MOST_SYMBOLS:
        raise Problem(f"--symbol-map: {len(content)} symbols; at most {MOST_SYMBOLS} are kept")
    for symbol in content.values():
        _root("--symbol-map", symbol)
    return {theirs.strip().upper(): ours.strip() for theirs, ours in content.items()}


def _mapping(name: str, sample: object) -> str | None:
    from fillpath.alerts.mapping import check_expression, check_mapping  # noqa: PLC0415  loads the library of mappings

    if name.lower() == "none":
        return None
    if sample is None:
        raise Problem("--map: needs a message to try it on", hint="--sample FILE, or --sample none to save it untried")
    expression = _read("--map", name).decode("utf-8", "replace").strip()
    try:
        if str(sample).lower() == "none":
            check_expression(expression)
        else:
            check_mapping(expression, read_message(_read("--sample", str(sample))))
    except Refused as refusal:
        raise Problem(f"--map: {refusal.message}") from refusal
    return expression


def _read(option: str, name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise Problem(f"{option}: {name} cannot be read: {error.strerror}") from error


def _as(field: str, parse: Callable[[Any], Any]) -> Callable[[Any], tuple[str, Any]]:
    return lambda value: (field, parse(value))


_PARSERS: Mapping[str, Callable[[Any], tuple[str, Any]]] = {
    "label": _as("label", clean_label),
    "gate": _as("gate", parse_gate),
    "daily_limit": _as("daily_limit", parse_limit),
    "wait_s": _as("wait_s", lambda text: None if text.lower() == "none" else Decimal(parse_wait(text))),
    "secret_in": _as("secret_in", partial(_choice, "--secret-in", SecretIn)),
    "time": _as("time", partial(_choice, "--time", TimeOf)),
    "quantity_is": _as("quantity_is", partial(_choice, "--quantity-is", QuantityIs)),
    "symbols": _as("symbols", _symbols),
    "windows": _as("windows", _windows),
    "cooldown": _as("cooldown_s", partial(_seconds, "--cooldown", 0)),
    "entry_staleness": _as("entry_staleness_s", partial(_seconds, "--entry-staleness", 1)),
    "reduction_staleness": _as("reduction_staleness_s", partial(_seconds, "--reduction-staleness", 1)),
    "symbol_map": _as("symbol_map", _symbol_map),
}

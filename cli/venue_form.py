"""What a venue asks of a person: its fields come in, the settings of the connection and the credentials go out.

Typed one after the other, secrets unseen, or as one JSON object. Nothing that was entered ever stands in a message.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from rich.markup import escape

from cli import terminal
from cli.means import Person
from cli.problem import NOTHING_KEPT, Problem
from fillpath_brokers.signing_in import Field

ATTEMPTS = 3


@dataclass(frozen=True)
class Entered:
    """What was entered: `connection` is no secret, `credentials` are nothing else."""

    connection: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=dict, repr=False)


def ask_for(fields: Sequence[Field], given: Mapping[str, str], person: Person) -> Entered:
    """Every field in order, without those that are `given`; raises Problem."""
    wanted = [each for each in fields if each.secret or each.key not in given]
    asked = [each for each in wanted if not _is_settled(each)]
    if asked and not person.is_there:
        keys = ", ".join(each.key for each in asked)
        raise Problem(
            f"there is nobody to ask for {keys}",
            hint="--credentials FILE, or --credentials - with the JSON object on standard input",
        )
    return _sorted(fields, {each.key: each.default if _is_settled(each) else _answer(each, person) for each in wanted})


def read_from(text: str, fields: Sequence[Field], given: Mapping[str, str], venue: str) -> Entered:
    """The fields of a JSON object, without those that are `given`; raises Problem that names keys and no values."""
    document = _object(text)
    known = ", ".join(each.key for each in fields) or "none"
    if unknown := sorted(document.keys() - {each.key for each in fields}):
        raise Problem(f"--credentials: {venue} does not ask for {', '.join(unknown)}", hint=f"its fields are {known}")
    texts = {key: _text(key, value) for key, value in document.items()}
    needed = [each.key for each in fields if each.required and not each.default and (each.secret or each.key not in given)]
    if missing := [key for key in needed if not texts.get(key)]:
        raise Problem(f"--credentials: {', '.join(missing)} missing", hint=f"the fields of {venue} are {known}")
    for each in fields:
        if each.choices and texts.get(each.key, "") not in ("", *each.choices):
            raise Problem(f"--credentials: {each.key} is none of those that there are", hint=f"one of {', '.join(each.choices)}")
        if texts.get(each.key) and not fits(each, texts[each.key]):
            raise Problem(f"--credentials: {each.key} is not what it must be", hint=each.help)
    wanted = [each for each in fields if each.secret or each.key not in given]
    return _sorted(fields, {each.key: texts.get(each.key) or each.default for each in wanted})


def ask_for_code(url: str, person: Person) -> str:
    """The code with which the browser comes back from `url`; raises Problem."""
    if not person.is_there:
        raise Problem(
            "this venue wants a person to sign in with a browser, and there is nobody to do so",
            hint=f"type the same command at a terminal; {NOTHING_KEPT}",
        )
    terminal.err.print("\nOpen this address, sign in there, and allow access:")
    terminal.err.print(url, markup=False, soft_wrap=True)
    terminal.err.print("[dim]The browser ends at an address that may not load; it carries the code.[/]")
    return code_in(person.ask("Address at which the browser ended, or the code: "), url)


def code_in(answer: str, url: str) -> str:
    """The code in the address at which the browser ended, or in what stands there alone; raises Problem."""
    answer = answer.strip()
    parts = urlsplit(answer)
    if not parts.query:
        if not answer or parts.scheme in {"http", "https"}:
            raise Problem(
                "there is no code in that", hint="copy the whole address out of the browser, with what stands behind the ?"
            )
        return unquote(answer)
    found = parse_qs(parts.query)
    if "error" in found:
        raise Problem(f"the venue did not let you in: {' '.join(found.get('error_description', found['error']))}")
    if "code" not in found:
        raise Problem("there is no code in that address", hint="it must have one behind the ?, as code=...")
    wanted = parse_qs(urlsplit(url).query).get("state")
    if wanted and found.get("state", wanted) != wanted:
        raise Problem("that address belongs to another sign-in", hint="begin again, and use the newest address")
    return found["code"][0]


def fits(asked: Field, text: str) -> bool:
    """Whether the text is what the field's pattern wants."""
    return not asked.pattern or re.fullmatch(asked.pattern, text) is not None


def _is_settled(asked: Field) -> bool:
    """Whether there is nothing to choose."""
    return asked.choices == (asked.default,)


def _answer(asked: Field, person: Person) -> str:
    for _ in range(ATTEMPTS):
        typed = (person.ask_secret if asked.secret else person.ask)(_question(asked)).strip() or asked.default
        if asked.choices and typed not in ("", *asked.choices):
            terminal.err.print(f"  [yellow]one of {escape(', '.join(asked.choices))}[/]")
        elif typed and not fits(asked, typed):
            terminal.err.print(f"  [yellow]that is not what it must be: {escape(asked.help)}[/]")
        elif typed or not asked.required:
            return typed
        else:
            terminal.err.print("  [yellow]this is needed[/]")
    raise Problem(f"{asked.label} was not entered", hint=f"{NOTHING_KEPT}; begin again")


def _question(asked: Field) -> str:
    parts = [escape(asked.label)]
    if asked.choices:
        parts.append(escape(f"[{'/'.join(asked.choices)}]"))
    if notes := [each for each in (asked.help, f"{asked.default} unless told" if asked.default else "") if each]:
        parts.append(f"[dim]({escape('; '.join(notes))})[/]")
    return " ".join(parts) + ": "


def _object(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        where = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "it is not text"
        # Without its cause, which has the whole text.
        raise Problem(f"--credentials: what was given is not JSON ({where})", hint='such as {"key_id": "...", ...}') from None
    if not isinstance(document, dict):
        raise Problem("--credentials: what was given is not one JSON object", hint='such as {"key_id": "...", ...}')
    return document


def _text(key: str, value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise Problem(f"--credentials: {key} is no text", hint="put it in quotation marks")


def _sorted(fields: Sequence[Field], values: Mapping[str, str]) -> Entered:
    return Entered(dict(_those(fields, values, secret=False)), dict(_those(fields, values, secret=True)))


def _those(fields: Sequence[Field], values: Mapping[str, str], *, secret: bool) -> Iterator[tuple[str, str]]:
    for each in fields:
        if each.secret is secret and values.get(each.key):
            yield each.key, values[each.key]

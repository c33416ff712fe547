"""From JSON to a venue's own types, one message at a time: what does not fit is counted and logged once, and never fatal.

Logs and counts name the source, the kind of message and the field, never the content.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from threading import Lock
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import msgspec

Message = TypeVar("Message")
Json = str | bytes | msgspec.Raw

_MOST_KINDS = 200
_LONGEST_KIND = 60
_FIELD = re.compile(r"at `(\$[^`]*)`|required field `(\w+)`")
_log = logging.getLogger(__name__)


class Unread(Mapping[str, int]):
    """How many messages of each kind could not be read. From any thread."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def __getitem__(self, kind: str) -> int:
        return self._counts[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._counts))

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, kind: str, why: Exception | str) -> None:
        """One more; the first of its kind is logged, with the field that does not fit."""
        kind = kind[:_LONGEST_KIND]
        with self._lock:
            if kind not in self._counts and len(self._counts) >= _MOST_KINDS:
                kind = "others"
            self._counts[kind] = times = self._counts.get(kind, 0) + 1
        if times == 1:
            _log.warning("a message could not be read: %s: %s", kind, why if isinstance(why, str) else _field(why))


unread = Unread()
"""Of the whole process."""


class Decoder(Generic[Message]):
    """`source` names venue and stream; `kind_of` finds a message's kind (None: it has none); `types` says what each kind is.

    None as a type: a kind that is known and not wanted. See `reader` for numbers.
    """

    def __init__(
        self,
        source: str,
        kind_of: Callable[[Json], str | None],
        types: Mapping[str, type[Message] | None],
        counts: Unread = unread,
    ) -> None:
        self._source = source
        self._kind_of = kind_of
        self._decoders = {kind: reader(type_) if type_ else _nothing for kind, type_ in types.items()}
        self._counts = counts

    @property
    def unread(self) -> Mapping[str, int]:
        """How many messages of each kind could not be read, each kind behind its source."""
        return self._counts

    def one(self, data: Json) -> Message | None:
        """The message; None if it is not wanted or could not be read."""
        kind = None
        try:
            kind = self._kind_of(data)
            decode = self._decoders.get(kind or "")
            if decode:
                return decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            self._counts.count(f"{self._source} {kind or 'without a kind'}", exc)
        else:
            self._counts.count(f"{self._source} {kind or 'without a kind'}", "of no known kind")
        return None

    def every(self, data: Json) -> list[Message]:
        """The messages of an array (or the one that is none), without those that are not wanted or could not be read."""
        try:
            parts: Sequence[Json] = _array(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            parts = [data]
        return [message for part in parts if (message := self.one(part)) is not None]


def reader(type_: type[Message]) -> Callable[[Json], Message]:
    """Reads JSON as this type; msgspec.DecodeError for what does not fit.

    Fields of type Decimal take numbers and text, exactly, but nothing that is not finite: `NaN` is text to JSON, and no price.
    Fractions without a type of their own become Decimal.
    """
    decode = msgspec.json.Decoder(type_, float_hook=Decimal).decode
    names = _decimals_of(type_)
    if not names:
        return decode
    values_of = attrgetter(*names) if len(names) > 1 else _alone(names[0])

    def read(data: Json) -> Message:
        message = decode(data)
        for value in values_of(message):
            if isinstance(value, Decimal) and not value.is_finite():
                raise msgspec.ValidationError(f"Expected a finite number - at `$.{_first_infinite(message, names)}`")
        return message

    return read


def kind_in(field: str) -> Callable[[Json], str | None]:
    """Finds the kind in a text field of the message; None where there is no such field."""
    peeker = msgspec.defstruct("Peeker", [("kind", str | None, None)], rename={"kind": field})
    decode = msgspec.json.Decoder(peeker).decode
    return lambda data: decode(data).kind  # type: ignore[attr-defined]  # a type made here has no static fields


_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _decimals_of(type_: type[Any]) -> tuple[str, ...]:
    """The fields of a struct that may hold a Decimal."""
    if not issubclass(type_, msgspec.Struct):
        return ()
    hints = get_type_hints(type_)
    return tuple(name for name in type_.__struct_fields__ if hints[name] is Decimal or Decimal in get_args(hints[name]))


def _alone(name: str) -> Callable[[Any], tuple[Any]]:
    value_of = attrgetter(name)
    return lambda message: (value_of(message),)


def _first_infinite(message: Any, names: Iterable[str]) -> str:
    values = ((name, getattr(message, name)) for name in names)
    return next(name for name, value in values if isinstance(value, Decimal) and not value.is_finite())


def _nothing(_: Json) -> None:
    return None


def _field(why: Exception) -> str:
    """Of msgspec's texts only the path: they may repeat a value."""
    found = _FIELD.search(str(why)) if isinstance(why, msgspec.ValidationError) else None
    return f"field {found[1] or found[2]}" if found else type(why).__name__

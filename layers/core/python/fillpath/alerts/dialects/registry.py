"""Every dialect, the more particular before the more general; the canonical one takes what is left.

A dialect's module, with its models, is loaded when the first message of its shape arrives.
"""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from fillpath.alerts.body import Message
from fillpath.alerts.canonical import CanonicalAlert
from fillpath.alerts.dialects import shapes
from fillpath.alerts.dialects.dialect import Dialect

_SHAPES: tuple[tuple[str, Callable[[Message], bool]], ...] = (
    ("crosstrade", shapes.is_crosstrade),
    ("threecommas", shapes.is_threecommas),
    ("pickmytrade", shapes.is_pickmytrade),
    ("openalgo", shapes.is_openalgo),
    ("pairs_ibkr", shapes.is_pairs_ibkr),
    ("foreign", shapes.is_foreign),
    ("traderspost", shapes.is_traderspost),
    ("canonical", lambda _message: True),
)
NAMES = tuple(name for name, _ in _SHAPES)


class Understood(NamedTuple):
    """A message, the dialect it speaks, and what it means."""

    message: Message
    dialect: Dialect
    alert: CanonicalAlert


def dialect(name: str) -> Dialect:
    """The dialect of this name."""
    found: Dialect = import_module(f"fillpath.alerts.dialects.{name}").DIALECT
    return found


def dialect_of(message: Message) -> Dialect:
    """The dialect whose shape the message has."""
    return dialect(next(name for name, is_shape in _SHAPES if is_shape(message)))


def understand(message: Message) -> Understood:
    """The canonical form of a message in any known dialect; Refused(invalid_alert)."""
    spoken = dialect_of(message)
    return Understood(message, spoken, spoken.parse(message))

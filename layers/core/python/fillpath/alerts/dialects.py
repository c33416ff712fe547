"""Which dialect an object speaks, known by its shape. Another product's dialect is one more entry of the list."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fillpath.alerts.canonical import CanonicalAlert, parse_canonical


class Dialect(NamedTuple):
    """One shape of alert: how it is known and how it becomes canonical."""

    name: str
    matches: Callable[[Mapping[str, Any]], bool]
    parse: Callable[[Mapping[str, Any]], CanonicalAlert]


CANONICAL = Dialect("canonical", lambda _raw: True, parse_canonical)
DIALECTS: tuple[Dialect, ...] = (CANONICAL,)


def understand(raw: Mapping[str, Any]) -> CanonicalAlert:
    """The canonical form of an alert in any known dialect; Refused(invalid_alert)."""
    return next(dialect for dialect in DIALECTS if dialect.matches(raw)).parse(raw)

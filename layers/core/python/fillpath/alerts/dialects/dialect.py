"""A dialect: how its messages are known, what they mean, and where they keep their secret."""

from collections.abc import Callable
from typing import NamedTuple

from fillpath.alerts.body import Message
from fillpath.alerts.canonical import CanonicalAlert


class Dialect(NamedTuple):
    """One shape of alert.

    `secret_field` is the field that carries the webhook's secret (None: it stands in the URL); `timed` is false where messages
    carry no time, so that the moment of arrival counts; `time_field` is what their time is called.
    """

    name: str
    matches: Callable[[Message], bool]
    parse: Callable[[Message], CanonicalAlert]
    secret_field: str | None = "secret"  # noqa: S105 - the name of a field
    timed: bool = True
    time_field: str = "timestamp"

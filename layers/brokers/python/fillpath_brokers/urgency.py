"""Urgency: what may use what a venue's request limit keeps in reserve. In: what is being done; out: whether its requests may.

One look at an order takes several requests, and whom it is for decides, not what is asked: the reserve is for what makes a
position smaller. So it is said once, around all of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_urgent: ContextVar[bool | None] = ContextVar("urgent", default=None)


@contextmanager
def urgency(urgent: bool) -> Iterator[None]:
    """All that is asked inside is as urgent as this; what is inside something else is as urgent as that."""
    if _urgent.get() is not None:
        yield
        return
    token = _urgent.set(urgent)
    try:
        yield
    finally:
        _urgent.reset(token)


def as_urgent(otherwise: bool) -> bool:
    """How urgent a request is; `otherwise`: where nobody has said what it is for."""
    said = _urgent.get()
    return otherwise if said is None else said

"""Reading what a venue answers. In: numbers and times as it writes them, listings page by page. Out: Decimals, instants, items.

What cannot be read is no answer: BrokerUnavailable. Prices and quantities are never taken from a float, nor from what is no
finite number.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from fillpath.errors import BrokerUnavailable

Item = TypeVar("Item")

MOST_PAGES = 1_000
"""Of one listing. A venue that goes on is taken to be in a loop."""
_MOST_DIGITS = 30
"""Before the point: nothing that is traded is told in so many."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNREADABLE = (KeyError, IndexError, AttributeError, TypeError, ValueError, ArithmeticError)


def number(value: Any) -> Decimal:
    """A number exactly as it was written; ValueError for what is none, or is not finite."""
    try:
        read = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation as exc:
        raise ValueError("not a number") from exc
    if not read.is_finite() or read.adjusted() > _MOST_DIGITS:
        raise ValueError("not a finite number")
    return read


def amount(value: Any) -> Decimal:
    """A number that counts things; ValueError for less than none, too."""
    read = number(value)
    if read < 0:
        raise ValueError(f"{read} is less than none")
    return read


def filled_part(filled: Decimal, ordered: Decimal) -> Decimal:
    """What is filled of an order; ValueError for less than nothing, and for more than was ordered."""
    if not 0 <= filled <= ordered:
        raise ValueError(f"{filled} of {ordered} cannot be filled")
    return filled


def number_or_none(value: Any) -> Decimal | None:
    """The same; None for null and for empty text."""
    return None if value is None or value == "" else number(value)


def moment(text: str) -> datetime:
    """An instant as ISO 8601 writes it; in UTC where no zone is told."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def moment_or_none(text: str | None) -> datetime | None:
    """The same; None for null and for empty text."""
    return moment(text) if text else None


def plain(value: Decimal) -> str:
    """A number as text, without zeros that say nothing and without an exponent."""
    return f"{value.normalize():f}"


def moment_of(ms: float) -> datetime:
    """An instant from milliseconds since 1970; ArithmeticError for one that no calendar has."""
    return _EPOCH + timedelta(milliseconds=ms)


@contextmanager
def readable(what: str) -> Iterator[None]:
    """BrokerUnavailable in place of whatever goes wrong inside because `what` is not as it should be."""
    try:
        yield
    except _UNREADABLE as exc:
        raise BrokerUnavailable(f"{what} cannot be read: {exc!r}") from exc


def paged(page: Callable[[str | None], tuple[Sequence[Item], str | None]], what: str) -> Iterator[Item]:
    """The items of every page. `page` reads the one of a token (None: the first) and gives the token of the next, or None."""
    token: str | None = None
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        items, token = page(token)
        yield from items
        if token is None:
            return
        if token in seen:
            raise BrokerUnavailable(f"{what}: the same page came twice")
        seen.add(token)
    raise BrokerUnavailable(f"{what}: there are too many pages")

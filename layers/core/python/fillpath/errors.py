"""Every error of the project, drawn once. Entry points translate them into HTTP codes or batch failures.

FillpathError
├── Refused                 an alert or request that is answered with a code, never executed
├── NotFound                the record is not there, or not yours
├── Conflict                a conditional write lost: read again and decide again
├── Replayed                the replay guard was there first
├── StorageUnavailable      a table or queue did not take the write: the caller may send again
└── BrokerError
    ├── BrokerUnavailable   a read or cancel did not get an answer; says nothing about orders
    │   └── NotSent         the request certainly did not leave: it may be made again after a while
    ├── NeedsReauth         the venue lets nobody in with what is known: a person must sign in again
    ├── StreamEnded         a stream cannot go on, and connecting again would not help
    └── Unsupported         the venue cannot do this, known before anything is accepted
"""

from collections.abc import Mapping
from typing import Any


class FillpathError(Exception):
    """Base of all errors raised on purpose."""


class Refused(FillpathError):
    """A refusal with the code, message and details that the sender is told."""

    def __init__(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = dict(details or {})


class NotFound(FillpathError):
    """The record is not there, or belongs to somebody else."""


class Conflict(FillpathError):
    """A conditional write found something newer than what the writer had read."""


class Replayed(FillpathError):
    """The same alert was accepted before; carries what it became then."""

    def __init__(self, alert_id: str, order_ids: tuple[str, ...]) -> None:
        super().__init__(f"alert {alert_id} was accepted before")
        self.alert_id = alert_id
        self.order_ids = order_ids


class StorageUnavailable(FillpathError):
    """A table, queue or state machine did not answer; the work can be tried again."""


class BrokerError(FillpathError):
    """Base of what goes wrong at a broker outside a submit (a submit answers with an outcome)."""


class BrokerUnavailable(BrokerError):
    """The broker gave no readable answer to a read or a cancel. Never evidence about an order."""


class NotSent(BrokerUnavailable):
    """The request certainly did not reach the broker (no connection, no token, no quota left); `delay_s` until it may."""

    def __init__(self, message: str, delay_s: float = 1.0) -> None:
        super().__init__(message)
        self.delay_s = delay_s


class NeedsReauth(BrokerError):
    """The venue lets nobody in with the credentials or token that are known; nothing was placed. A person must sign in."""


class StreamEnded(BrokerError):
    """A stream cannot go on, and connecting again would not help or would do harm. A person is told why."""


class Unsupported(BrokerError):
    """The venue cannot do what was asked; capabilities say so beforehand."""

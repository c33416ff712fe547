"""Bodies of queue messages and of the reversal's steps, checked when they arrive."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WakeUp(_Message):
    """orders.fifo: look what waits in this lane."""

    account_id: str = Field(min_length=1)
    root: str = Field(min_length=1)


class CheckRequest(_Message):
    """verification.fifo: find out what became of this submit attempt. `reason` is set in the dead-letter queue."""

    order_id: str = Field(min_length=26, max_length=26)
    leg: str = Field(min_length=1)
    fence: int = Field(ge=0)
    attempt: int = Field(ge=1)
    reason: str | None = None


class Step(StrEnum):
    """The steps of a reversal, named as the state machine passes them."""

    PREPARE = "prepare"
    CLOSE = "close"
    POLL_FILL = "poll_fill"
    OPEN = "open"
    ABORT = "abort"


class StepRequest(_Message):
    """What the state machine asks for."""

    step: Step
    order_id: str = Field(min_length=26, max_length=26)


class StepResult(_Message):
    """What the state machine is told: the next step, `wait` (and come back to this one after `wait_s`), or `end`."""

    order_id: str
    next: str
    wait_s: int = 0

"""Users, accounts and webhooks as stored."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Execution(StrEnum):
    """Who hosts the use cases of an account."""

    DIRECT = "direct"
    WORKER = "worker"


class Credentials(StrEnum):
    """What is known of an account's access to its venue."""

    VERIFIED = "verified"
    MISSING = "missing"
    NEEDS_REAUTH = "needs_reauth"


class Gate(StrEnum):
    """What to do when the position that the strategy believes in is not the account's."""

    IGNORE = "ignore"
    REJECT = "reject"
    RESYNC = "resync"


class User(_Record):
    """Who owns accounts and webhooks. An inactive plan blocks entries."""

    user_id: str
    email: str
    plan: str = "free"
    plan_active: bool = True
    created_at: datetime


class Account(_Record):
    """One trading account at one venue. `symbols`: roots that entries may trade; empty means all."""

    account_id: str
    user_id: str
    venue: str
    label: str
    execution: Execution = Execution.DIRECT
    simulation: bool = True
    terms_accepted_at: datetime | None = None
    symbols: tuple[str, ...] = ()
    credentials: Credentials = Credentials.MISSING
    created_at: datetime


class Route(_Record):
    """Where a webhook's alerts go, and by what its quantities are multiplied."""

    account_id: str
    multiplier: Decimal = Decimal(1)


class Webhook(_Record):
    """The settings of one webhook. Token and secret are derived, never stored."""

    webhook_id: str
    user_id: str
    label: str
    generation: int = 1
    previous_generation: int | None = None
    previous_until: datetime | None = None
    routes: tuple[Route, ...]
    gate: Gate = Gate.IGNORE
    daily_limit: int | None = None
    entry_staleness_s: int = 30
    reduction_staleness_s: int = 300
    wait_s: Decimal | None = None
    created_at: datetime

"""Users, accounts and webhooks as stored."""

import shlex
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Labelled(_Record):
    label: str

    @property
    def typed(self) -> str:
        """Its label as one types it in a command."""
        return shlex.quote(self.label)


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


class SecretIn(StrEnum):
    """Where an alert carries the webhook's secret: in its message, or after the token in the URL."""

    BODY = "body"
    URL = "url"


class TimeOf(StrEnum):
    """Which moment an alert counts from: the one that it must carry, or that of its arrival."""

    REQUIRED = "required"
    ARRIVAL = "arrival"


class QuantityIs(StrEnum):
    """What the quantity of an opposite entry means: the new position, or (as TradingView's `contracts`) old plus new."""

    NEW_SIZE = "new_size"
    CONTRACTS = "contracts"


class RollBy(StrEnum):
    """Who says when a continuous symbol moves on to the next contract: our calendar, or the venue's own front month."""

    DAYS = "days"
    VENUE = "venue"


class OutsideHours(StrEnum):
    """What becomes of a market order while its market is closed, at a venue that would keep it until the open."""

    REFUSE = "refuse"
    QUEUE = "queue"


class User(_Record):
    """Who owns accounts and webhooks. An inactive plan blocks entries."""

    user_id: str
    email: str
    plan: str = "free"
    plan_active: bool = True
    created_at: datetime


class Account(_Labelled):
    """One trading account at one venue. `symbols`: roots that entries may trade; empty means all.

    `connection` is how its venue is reached, without secrets: the venue's own keys (`environment`, `account`, ...) and endpoint
    overrides (`endpoint` and what the venue names besides). `roll_days` before its last day a contract is left, unless
    the venue says what is the front month (`roll_by`). `one_order_flip`: reversals go through zero with one order where the venue
    can. `sign_in_by`: when the venue's login ends for good, where it does. `kinds`: what this very account trades of all that its
    venue does (a futures account no shares); empty: not known.
    """

    account_id: str
    user_id: str
    venue: str
    execution: Execution = Execution.DIRECT
    simulation: bool = True
    terms_accepted_at: datetime | None = None
    symbols: tuple[str, ...] = ()
    credentials: Credentials = Credentials.MISSING
    connection: dict[str, str] = Field(default_factory=dict)
    roll_by: RollBy = RollBy.DAYS
    roll_days: int = 8
    one_order_flip: bool = False
    outside_hours: OutsideHours = OutsideHours.REFUSE
    sign_in_by: datetime | None = None
    kinds: tuple[str, ...] = ()
    created_at: datetime


class Route(_Record):
    """Where a webhook's alerts go, and by what its quantities are multiplied."""

    account_id: str
    multiplier: Decimal = Decimal(1)


class Webhook(_Labelled):
    """The settings of one webhook. Token and secret are derived, never stored.

    What holds back entries only: `symbols` (roots, empty means all), `windows` (texts such as `Mon-Fri 09:30-16:00
    America/New_York`; inside any one, empty means always), `cooldown_s` between two entries of one instrument and `daily_limit`.
    `symbol_map` turns a sender's symbols into ours; `mapping` is a JMESPath expression that makes any JSON a canonical alert.
    `revoked`: the present generation leads nowhere any more.
    """

    webhook_id: str
    user_id: str
    generation: int = 1
    previous_generation: int | None = None
    previous_until: datetime | None = None
    revoked: bool = False
    routes: tuple[Route, ...]
    secret_in: SecretIn = SecretIn.BODY
    time: TimeOf = TimeOf.REQUIRED
    entry_staleness_s: int = 30
    reduction_staleness_s: int = 300
    wait_s: Decimal | None = None
    quantity_is: QuantityIs = QuantityIs.NEW_SIZE
    gate: Gate = Gate.IGNORE
    symbols: tuple[str, ...] = ()
    daily_limit: int | None = None
    windows: tuple[str, ...] = ()
    cooldown_s: int = 0
    symbol_map: dict[str, str] = Field(default_factory=dict)
    mapping: str | None = None
    created_at: datetime

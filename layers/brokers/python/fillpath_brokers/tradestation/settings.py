"""How an account's connection to TradeStation is set up: the account's settings as text come in, checked values go out.

What TradeStation does not document is a setting here, so that a live account can correct it without a release.
"""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from fillpath.accounts.capabilities import Capabilities
from fillpath_brokers.signing_in import ConnectionSettings
from fillpath_brokers.tradestation.capabilities import CAPABILITIES

_API = {"sim": "https://sim-api.tradestation.com", "live": "https://api.tradestation.com"}
_LOGIN = "https://signin.tradestation.com"


class Settings(ConnectionSettings):
    """`endpoint` replaces every address of TradeStation, the others one each. `account`: needed where a login has several."""

    environment: Literal["sim", "live"] = "sim"
    account: str | None = None
    redirect_uri: str = "http://localhost:8080"
    api_endpoint: str | None = None
    login_endpoint: str | None = None
    scope: str = "openid offline_access profile MarketData ReadAccount Trade"
    route: str = "Intelligent"
    extended_hours: bool = False
    session_template: Literal["Default", "USEQPre", "USEQPost", "USEQPreAndPost", "USEQ24Hour"] = "Default"

    quarantine_s: Annotated[int, Field(ge=0)] = CAPABILITIES.quarantine_s or 0
    """How long after a lost answer an order may still appear; only then its absence proves that it was not placed."""
    deduplicates_s: Annotated[int, Field(ge=0)] = 0
    """For how long a second order under the same confirmation id is refused. It is, but how long is not documented."""
    order_confirm_id: bool = True
    """Whether orders carry a confirmation id of ours. To be switched off should only ids of TradeStation's own be taken."""
    clock_skew_s: Annotated[float, Field(ge=0)] = 5
    """How far its clock may be from what its answers show when an order is found again by the moment it was opened."""
    rate_limit_wait_s: Annotated[float, Field(gt=0)] = 60
    """The silence after a 429, which does not say when its window of 5 minutes ends."""
    reads_per_minute: Annotated[float, Field(gt=0)] = CAPABILITIES.requests_per_minute or 40
    """Of each kind of account reads, beside 50 at once."""
    orders_per_minute: Annotated[float, Field(gt=0)] = 120
    """Placing, changing and cancelling together. No quota of it is published."""
    rotating_login_hours: Annotated[float, Field(gt=0)] = 24
    """How long after a sign-in a login ends whose refresh tokens change with each use."""

    @property
    def capabilities(self) -> Capabilities:
        """What TradeStation can do for this account."""
        return replace(
            CAPABILITIES,
            quarantine_s=self.quarantine_s,
            deduplicates_s=self.deduplicates_s,
            requests_per_minute=self.reads_per_minute,
        )

    @property
    def api_url(self) -> str:
        """Where requests and streams go, without a slash at the end."""
        return (self.api_endpoint or self.endpoint or _API[self.environment]).rstrip("/")

    @property
    def login_url(self) -> str:
        """Where people and tokens sign in."""
        return (self.login_endpoint or self.endpoint or _LOGIN).rstrip("/")

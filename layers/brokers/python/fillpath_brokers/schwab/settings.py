"""How an account's connection to Schwab is set up: the account's settings as text come in, checked values go out.

What Schwab does not document is a setting here, so that a live account can correct it without a release:

`quarantine_s`            how long after a lost answer an order may still appear
`look_up_skew_s`          how far Schwab's clock may be from what its answers show when a lost order is looked for by its time
`rate_limit_wait_s`       the silence after a 429, which does not say how long
`replace_counts_filled`   whether the quantity of a replacement counts what its predecessor has filled
`trail_basis`             the price that a trailing stop follows
`orders_reach_days`       how old an order may be that still works (good till cancelled ones end after 180 days)
`shortest_stream_s`       a stream that ends sooner than this is not connected again: somebody else may be using the login
`read_again_s`            after word of a changed order: when it is read once more, in case the first look came too early
`sign_in_again_on_stream` whether a running stream must sign in again when the access token was renewed
"""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from fillpath.accounts.capabilities import Capabilities
from fillpath_brokers.schwab.capabilities import CAPABILITIES
from fillpath_brokers.signing_in import ConnectionSettings

_API = "https://api.schwabapi.com"


class Settings(ConnectionSettings):
    """`endpoint` replaces every address of Schwab, the others one each. There is no other environment than live.

    `account` is the account number; it may be left out where the login reaches one account only. `redirect_uri` is the callback
    that the app was registered with. `extended_hours`: limit orders also work before and after the regular session;
    `extended_hours_data`: bars from there are part of the history.
    """

    environment: Literal["live"] = "live"
    account: str | None = None
    redirect_uri: str = "https://127.0.0.1"
    sign_in_endpoint: str | None = None
    trader_endpoint: str | None = None
    data_endpoint: str | None = None
    stream_endpoint: str | None = None
    extended_hours: bool = False
    extended_hours_data: bool = False
    quarantine_s: Annotated[int, Field(ge=0)] = CAPABILITIES.quarantine_s or 0
    look_up_skew_s: Annotated[float, Field(ge=0)] = 5
    rate_limit_wait_s: Annotated[float, Field(gt=0)] = 60
    requests_per_minute: Annotated[float, Field(gt=0)] = CAPABILITIES.requests_per_minute or 90
    replace_counts_filled: bool = False
    trail_basis: Literal["LAST", "BID", "ASK", "MARK"] = "LAST"
    orders_reach_days: Annotated[int, Field(ge=1, le=364)] = 181
    shortest_stream_s: Annotated[float, Field(ge=0)] = 90
    read_again_s: Annotated[float, Field(gt=0)] = 2
    sign_in_again_on_stream: bool = False

    @property
    def capabilities(self) -> Capabilities:
        """What Schwab can do for this account."""
        return replace(CAPABILITIES, quarantine_s=self.quarantine_s, requests_per_minute=self.requests_per_minute)

    @property
    def sign_in_url(self) -> str:
        """Where people sign in and tokens come from, without a slash at the end."""
        return f"{self._base(self.sign_in_endpoint)}/v1/oauth"

    @property
    def trader_url(self) -> str:
        """Where orders go."""
        return f"{self._base(self.trader_endpoint)}/trader/v1"

    @property
    def data_url(self) -> str:
        """Where quotes and bars come from."""
        return f"{self._base(self.data_endpoint)}/marketdata/v1"

    def stream_url(self, told: str) -> str:
        """Where the streamer is: as Schwab told it, unless an endpoint says otherwise."""
        if self.stream_endpoint:
            return self.stream_endpoint
        return f"{self.endpoint.rstrip('/').replace('http', 'ws', 1)}/ws" if self.endpoint else told

    def _base(self, own: str | None) -> str:
        return (own or self.endpoint or _API).rstrip("/")

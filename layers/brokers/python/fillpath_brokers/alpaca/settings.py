"""How an account's connection to Alpaca is set up: the account's settings as text come in, checked values go out.

What Alpaca does not document is a setting here, so that a live account can correct it without a release: `quarantine_s` (how long
after a lost answer an order may still appear), `rate_limit_wait_s` (the silence after a 429 that does not say how long).
"""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from fillpath.accounts.capabilities import Capabilities
from fillpath_brokers.alpaca.capabilities import CAPABILITIES
from fillpath_brokers.signing_in import ConnectionSettings

_TRADING = {"paper": "https://paper-api.alpaca.markets", "live": "https://api.alpaca.markets"}
_DATA = "https://data.alpaca.markets"
_DATA_STREAM = "wss://stream.data.alpaca.markets"


class Settings(ConnectionSettings):
    """`endpoint` replaces every address of Alpaca, the others one each. `feed`: iex comes with every account, sip is paid for."""

    environment: Literal["paper", "live"] = "paper"
    account: str | None = None
    trading_endpoint: str | None = None
    data_endpoint: str | None = None
    data_stream_endpoint: str | None = None
    feed: Literal["iex", "sip", "delayed_sip"] = "iex"
    extended_hours: bool = False
    quarantine_s: Annotated[int, Field(ge=0)] = CAPABILITIES.quarantine_s or 0
    rate_limit_wait_s: Annotated[float, Field(gt=0)] = 60
    requests_per_minute: Annotated[float, Field(gt=0)] = CAPABILITIES.requests_per_minute or 170

    @property
    def capabilities(self) -> Capabilities:
        """What Alpaca can do for this account."""
        return replace(CAPABILITIES, quarantine_s=self.quarantine_s, requests_per_minute=self.requests_per_minute)

    @property
    def trading_url(self) -> str:
        """Where orders go, without a slash at the end."""
        return (self.trading_endpoint or self.endpoint or _TRADING[self.environment]).rstrip("/")

    @property
    def data_url(self) -> str:
        """Where bars come from."""
        return (self.data_endpoint or self.endpoint or _DATA).rstrip("/")

    @property
    def orders_stream_url(self) -> str:
        """Where order updates come from."""
        return f"{_as_socket(self.trading_url)}/stream"

    @property
    def data_stream_url(self) -> str:
        """Where market data comes from."""
        own = self.data_stream_endpoint or (_as_socket(self.endpoint) if self.endpoint else _DATA_STREAM)
        return f"{own.rstrip('/')}/v2/{self.feed}"


def _as_socket(url: str) -> str:
    return url.replace("http", "ws", 1).rstrip("/")

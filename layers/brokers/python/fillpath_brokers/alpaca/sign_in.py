"""Signing in at Alpaca: a key and its secret, which never expire. Nothing is renewed; a refused key needs a person."""

from collections.abc import Mapping
from datetime import timedelta

from fillpath.accounts.access import Access, Token
from fillpath.errors import BrokerUnavailable, NeedsReauth
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.signing_in import Field, SignInContext
from fillpath_brokers.web import Request

_REFUSED = {401, 403}


class AlpacaSignIn:
    """Keys only."""

    fields = (
        Field(
            "environment",
            "Environment",
            "paper trades with play money; each has keys of its own",
            secret=False,
            default="paper",
            choices=("paper", "live"),
        ),
        Field("key_id", "API key ID", "Alpaca dashboard, Home, API Keys"),
        Field("secret_key", "API secret key", "shown once, when the key is made"),
    )
    endpoints = ("trading_endpoint", "data_endpoint", "data_stream_endpoint")
    renew_before: timedelta | None = None

    def check(self, connection: Mapping[str, str]) -> None:
        """Whether the connection's settings can be used; Refused(invalid_connection)."""
        Settings.of(connection)

    def authorize_url(self, _credentials: Mapping[str, str], _context: SignInContext) -> str | None:
        """Nobody needs a browser."""
        return None

    def sign_in(self, credentials: Mapping[str, str], context: SignInContext, _code: str | None = None) -> Token | None:
        """No token comes of it, but keys that Alpaca refuses are refused here."""
        settings = Settings.of(context.connection)
        headers = authorization(Access(credentials))
        reply = context.web.call(Request("GET", f"{settings.trading_url}/v2/account", headers=headers, safe=True))
        if reply.status in _REFUSED:
            remedy = f"these must be keys of the {settings.environment} environment"
            raise NeedsReauth(f"Alpaca refuses the keys ({reply.text}); {remedy}")
        if not reply.ok:
            raise BrokerUnavailable(f"Alpaca answers {reply.status}: {reply.text}")
        return None

    def renew(self, credentials: Mapping[str, str], token: Token, context: SignInContext) -> Token:
        """Keys are not renewed; whoever has a token here signed in elsewhere."""
        self.sign_in(credentials, context)
        return token


def authorization(access: Access) -> dict[str, str]:
    """The headers that let a request in."""
    return {"APCA-API-KEY-ID": access.credentials["key_id"], "APCA-API-SECRET-KEY": access.credentials["secret_key"]}


SIGN_IN = AlpacaSignIn()

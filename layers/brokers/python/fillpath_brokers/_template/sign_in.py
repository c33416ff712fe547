"""How accounts get in. Required where `credentials_required` is true."""

from collections.abc import Mapping
from datetime import timedelta

from fillpath.accounts.access import Token
from fillpath.errors import NeedsReauth
from fillpath_brokers.signing_in import ConnectionSettings, Field, SignInContext


class TemplateSignIn:
    """Required: `fields`, `check` and `sign_in`. A venue with tokens needs all of it."""

    fields: tuple[Field, ...] = ()
    endpoints: tuple[str, ...] = ()
    renew_before: timedelta | None = None

    def check(self, connection: Mapping[str, str]) -> None:
        """Required. Refused(invalid_connection) for settings that cannot be used."""
        ConnectionSettings.of(connection)

    def authorize_url(self, credentials: Mapping[str, str], context: SignInContext) -> str | None:
        """Optional: where a person must use a browser."""
        return None

    def sign_in(self, credentials: Mapping[str, str], context: SignInContext, code: str | None = None) -> Token | None:
        """Required: prove the credentials by a harmless call; the token, where the venue has tokens."""
        raise NeedsReauth("this venue lets nobody in")

    def renew(self, credentials: Mapping[str, str], token: Token, context: SignInContext) -> Token:
        """Optional: where the venue has tokens."""
        raise NeedsReauth("this venue has no tokens")


SIGN_IN = TemplateSignIn()

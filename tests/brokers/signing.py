"""A venue's sign-in that a test decides about, and a token store on fakes."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count

from fillpath.accounts.access import Access, Token, TokenStatus
from fillpath.errors import NeedsReauth
from fillpath_brokers.signing_in import Field, SignInContext
from fillpath_brokers.token_store import Renewal, TokenStore
from fillpath_brokers.web import Web
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger

ACCOUNT = "acc-1"
CREDENTIALS = {"user": "ann-smith", "password": "pa55word!"}
LIFE = timedelta(minutes=20)


class ScriptedSignIn:
    """Tokens `access-1`, `access-2`, ... that live for 20 minutes. `meanwhile` runs while the venue is being asked."""

    endpoints: tuple[str, ...] = ("rest_endpoint",)

    def __init__(self, clock: FakeClock, *, tokens: bool = True, browser: bool = False) -> None:
        self.clock = clock
        self.tokens = tokens
        self.browser = browser
        self.renew_before = timedelta(minutes=5) if tokens else None
        self.refuses: dict[str, list[Exception]] = {"sign_in": [], "renew": []}
        self.meanwhile: Callable[[], None] = lambda: None
        self.asked: list[tuple[str, str | None]] = []
        self.login_ends: timedelta | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        return (Field("user", "User"), Field("password", "Password"))

    def check(self, connection: Mapping[str, str]) -> None:
        """Anything goes."""

    def authorize_url(self, credentials: Mapping[str, str], context: SignInContext) -> str | None:
        return "https://login.example.com/authorize?state=st4te" if self.browser else None

    def sign_in(self, credentials: Mapping[str, str], context: SignInContext, code: str | None = None) -> Token | None:
        self._answer("sign_in", code)
        if self.browser and code is None:
            raise NeedsReauth("a browser is needed")
        return self._token() if self.tokens else None

    def renew(self, credentials: Mapping[str, str], token: Token, context: SignInContext) -> Token:
        self._answer("renew", token.refresh_token)
        return self._token()

    def _answer(self, what: str, with_what: str | None) -> None:
        self.asked.append((what, with_what))
        self.meanwhile()
        if self.refuses[what]:
            raise self.refuses[what].pop(0)

    def _token(self) -> Token:
        number, now = len(self.asked), self.clock.now()
        ends = now + self.login_ends if self.login_ends else None
        return Token(f"access-{number}", now + LIFE, f"refresh-{number}", ends, {"md": f"market-data-{number}"})


class Signing:
    """One account's access: the store that trades with it, the one that renews it, and what both stand on."""

    def __init__(self, *, tokens: bool = True, browser: bool = False) -> None:
        self.clock = FakeClock()
        self.vault = FakeAccessVault()
        self.ledger = FakeTokenLedger()
        self.venue = ScriptedSignIn(self.clock, tokens=tokens, browser=browser)
        self.trading = self.process()
        self.renewing = self.process()
        self._web = Web(FakeRateLimits(self.clock), self.clock)
        self._runs = count(1)

    def process(self) -> TokenStore:
        """Another process."""
        return TokenStore(self.vault, self.ledger, self.clock)

    def enter(self, code: str | None = None) -> None:
        """A person signs in."""
        token = self.venue.sign_in(CREDENTIALS, self.context, code)
        self.process().keep(ACCOUNT, CREDENTIALS, token, "a person")

    def renew(self, by: TokenStore | None = None) -> Renewal:
        """One run of who renews."""
        return (by or self.renewing).renew_if_due(ACCOUNT, self.venue, self.context, f"run-{next(self._runs)}")

    def after(self, minutes: float) -> None:
        """Time passes."""
        self.clock.sleep(60 * minutes)

    @property
    def context(self) -> SignInContext:
        """What signing in works with."""
        return SignInContext(ACCOUNT, {}, self._web, self.clock)

    @property
    def stored(self) -> Access:
        """What the vault has."""
        return self.vault.stored[ACCOUNT]

    @property
    def status(self) -> TokenStatus:
        """What the ledger has."""
        return self.ledger.known[ACCOUNT]


def token_of(access: Access) -> str:
    """The access token, where there is one."""
    assert access.token is not None
    return access.token.access_token

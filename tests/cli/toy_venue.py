"""A venue of the tests, beside those that there are, and a person who answers what is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from fillpath.accounts.access import Token
from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import BrokerUnavailable, NeedsReauth
from fillpath.orders.outcomes import Position
from fillpath_brokers import registry
from fillpath_brokers.facade import Balances, BrokerOrder, OrderRef, VenueAccount
from fillpath_brokers.sending import ask_each
from fillpath_brokers.services import Services
from fillpath_brokers.signing_in import ConnectionSettings, Field, SignInContext

KEY = "toy"
USER, PASSWORD = "ann-smith", "pa55word!"
LOGIN_URL = "https://login.toy.example/authorize?client_id=fillpath&state=st4te"
FIRST = VenueAccount("T-1", "Cash", "USD", frozenset({"equity"}))
SECOND = VenueAccount("T-2", "Margin", "USD", frozenset({"equity", "future"}))


class Settings(ConnectionSettings):
    """What its connection knows."""

    environment: str = "demo"
    account: str | None = None
    rest_endpoint: str | None = None
    quarantine_s: int = 5


class Toy:
    """The venue: who may come in, what they see, and what it was asked. Its tokens last for 20 minutes, its logins for a week."""

    endpoints: tuple[str, ...] = ("rest_endpoint",)
    renew_before = timedelta(minutes=5)

    def __init__(self) -> None:
        self.can = Capabilities(front_month=True, single_order_flip=True, queues_when_closed=True)
        self.browser = False
        self.shows = (FIRST,)
        self.holds: tuple[Position, ...] = (Position("AAPL", "AAPL", Decimal(3), Decimal("201.5")),)
        self.keeps: set[str] = set()
        self.closed: list[str] = []
        self.stuck: tuple[BrokerOrder, ...] = ()
        self.down = False
        self.connections: list[Mapping[str, str]] = []
        self.codes: list[str | None] = []
        self.login_lasts: timedelta | None = None
        self.fields = (
            Field("environment", "Environment", secret=False, default="demo", choices=("demo", "live")),
            Field("user", "User name", "as on its website"),
            Field("password", "Password"),
            Field("pin", "PIN", required=False),
        )

    def check(self, connection: Mapping[str, str]) -> None:
        Settings.of(connection)

    def authorize_url(self, credentials: Mapping[str, str], context: SignInContext) -> str | None:
        return LOGIN_URL if self.browser else None

    def sign_in(self, credentials: Mapping[str, str], context: SignInContext, code: str | None = None) -> Token | None:
        self.connections.append(context.connection)
        self.codes.append(code)
        if self.down:
            raise BrokerUnavailable("toy.example gave no answer: ReadTimeout")
        if credentials != self._wanted(credentials) or (self.browser and code != "c0de@"):
            raise NeedsReauth(f"wrong password {credentials['password']} for {credentials['user']}")
        now = context.clock.now()
        return Token("t0ken-1", now + timedelta(minutes=20), "r3fresh-1", now + self.login_lasts if self.login_lasts else None)

    def renew(self, credentials: Mapping[str, str], token: Token, context: SignInContext) -> Token:
        raise AssertionError("the command line renews nothing")

    def _wanted(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        return {"user": USER, "password": PASSWORD} | ({"pin": credentials["pin"]} if "pin" in credentials else {})


@dataclass(frozen=True)
class ToyBroker:
    """One account there."""

    toy: Toy
    account_id: str
    services: Services

    def accounts(self) -> tuple[VenueAccount, ...]:
        self._enter()
        return self.toy.shows

    def positions(self) -> tuple[Position, ...]:
        self._enter()
        return tuple(each for each in self.toy.holds if each.contract not in self.toy.closed)

    def orders(self) -> tuple[BrokerOrder, ...]:
        self._enter()
        return self.toy.stuck

    def cancel_all(self) -> None:
        self._enter()
        ask_each([str(each.view.broker_order_id) for each in self.toy.stuck], self._cancel)

    def cancel(self, ref: OrderRef) -> None:
        self._cancel(str(ref.broker_order_id))

    def liquidate(self, contract: str) -> None:
        if contract in self.toy.keeps:
            raise BrokerUnavailable(f"{contract} cannot be closed now")
        self.toy.closed.append(contract)

    def balances(self) -> Balances:
        self._enter()
        return Balances("USD", Decimal(1000), Decimal("1604.50"), Decimal(0), Decimal(-5), Decimal(9), Decimal("0.50"))

    def close(self) -> None:
        """Nothing to give back."""

    def _cancel(self, number: str) -> None:
        raise BrokerUnavailable(f"order {number} cannot be cancelled in its present state")

    def _enter(self) -> None:
        access = self.services.tokens.access(self.account_id)
        self.toy.connections.append(self.services.accounts.account(self.account_id).connection)
        if self.toy.down:
            raise BrokerUnavailable("toy.example gave no answer: ReadTimeout")
        if access.token is None or access.token.access_token != "t0ken-1":
            self.services.tokens.refused(self.account_id, access, "401")
            raise NeedsReauth("the token is not known")


class ToyVenues:
    """All venues, and this one."""

    def __init__(self, toy: Toy) -> None:
        self._toy = toy

    def capabilities(self, key: str) -> Capabilities:
        return self._toy.can if key == KEY else registry.capabilities(key)

    def name(self, key: str) -> str:
        return "Toy Markets" if key == KEY else registry.name(key)

    def sign_in(self, key: str) -> Any:
        return self._toy if key == KEY else registry.sign_in(key)

    def open_account(self, key: str, account_id: str, services: Services) -> Any:
        return ToyBroker(self._toy, account_id, services) if key == KEY else registry.open_account(key, account_id, services)


class Absent:
    """Nobody: a script. `pipe` stands on its standard input."""

    is_there = False

    def __init__(self, pipe: str = "") -> None:
        self._pipe = pipe

    def ask(self, question: str) -> str:
        return ""

    def ask_secret(self, question: str) -> str:
        raise AssertionError("nobody is there to be asked")

    def handed_over(self) -> str:
        return self._pipe


class Answering:
    """A person who types these answers, one after the other; `asked` has the questions, `unseen` those whose answer is hidden."""

    is_there = True

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []
        self.unseen: list[str] = []

    def ask(self, question: str) -> str:
        self.asked.append(question)
        return self._answers.pop(0) if self._answers else ""

    def ask_secret(self, question: str) -> str:
        self.unseen.append(question)
        return self.ask(question)

    def handed_over(self) -> str:
        raise AssertionError("nothing was handed over")

    @property
    def left(self) -> Sequence[str]:
        """Answers that nobody asked for."""
        return self._answers

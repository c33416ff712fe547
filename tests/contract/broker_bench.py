"""One account at every venue that can trade: the paper exchange on fakes, real venues over HTTP against their simulators.

A bench has the broker and the desk as the application builds them, and what a test does to the venue from the other side.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx

from fillpath.accounts.model import Account, Credentials, OutsideHours
from fillpath.accounts.ports.rate_limits import RateLimits
from fillpath.clock import Clock, SystemClock
from fillpath.ids import client_order_id, new_id
from fillpath.market.calendars import calendar_of
from fillpath.market.instruments import resolve
from fillpath.market.ports.trading_hours import Session
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView
from fillpath.orders.ports.desk import AccountRef
from fillpath_brokers import registry
from fillpath_brokers.desk import BrokerDesk
from fillpath_brokers.exchange.scenario import parse
from fillpath_brokers.facade import Broker, OrderRef
from fillpath_brokers.paper.documents import book_document, read_book
from fillpath_brokers.paper.venue import PaperBroker
from fillpath_brokers.services import Services
from fillpath_brokers.signing_in import SignInContext
from fillpath_brokers.token_store import Renewal, TokenStore
from fillpath_brokers.web import Limit, Reply, Request, Web
from tests.brokers.services import services_on
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.paper_book_store import FakePaperBookStore
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger
from tests.fakes.trading_hours import FakeTradingHours
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import Options
from tests.simulators.server import Simulator, running, venue
from tests.waiting import until

PAPER = "paper"
_numbers = count(1)


@dataclass(frozen=True)
class Bench:
    """One account at one venue. `contract` is what the tests trade; it stands at `price` when a test begins."""

    key: str
    account: AccountRef
    desk: BrokerDesk
    services: Services
    simulator: Simulator
    contract: str
    price: Decimal

    @property
    def broker(self) -> Broker:
        """The account as its venue opens it."""
        return registry.open_account(self.key, self.account.account_id, self.services)

    @property
    def tick(self) -> Decimal:
        """The contract's tick."""
        return self.broker.contract(self.contract).instrument.tick_size

    def away(self, ticks: int) -> Decimal:
        """A price so many ticks from where the market stood."""
        return self.price + ticks * self.tick

    def trades_at(self, price: Decimal) -> None:
        """The market moves."""
        self.simulator.exchange.set_price(self.contract, price)

    def leg(self, side: str = "buy", quantity: str = "2", **fields: Any) -> Leg:
        """A leg of an order of its own, prepared now."""
        now = self.services.clock.now()
        order_id = f"{new_id(now)[:20]}{next(_numbers):06}"
        name = fields.pop("name", "main")
        return Leg(
            leg=name,
            client_order_id=client_order_id(order_id, name),
            contract=fields.pop("contract", self.contract),
            side=Side(side),
            quantity=Decimal(quantity),
            prepared_at=now,
            submit_by=now + timedelta(seconds=10),
            status=LegStatus.SUBMITTING,
            attempts=1,
            **fields,
        )

    def accepted(self, leg: Leg) -> LegView:
        """Submit a leg that must be accepted."""
        outcome = self.desk.submit(self.account, leg)
        assert isinstance(outcome, Accepted), outcome
        return outcome.view

    def seen(self, leg: Leg, broker_order_id: str | None = None) -> LegView:
        """The order as the venue shows it now; it must show it."""
        view = self.broker.order(OrderRef(leg.client_order_id, broker_order_id, leg))
        assert view is not None, "the venue shows no such order"
        return view

    def becomes(self, leg: Leg, *statuses: LegStatus, broker_order_id: str | None = None) -> LegView:
        """The order once it has one of these statuses."""
        return until(lambda: self.seen(leg, broker_order_id), lambda view: view.status in statuses)

    def filled(self, leg: Leg) -> LegView:
        """Submit a leg and see it filled."""
        self.accepted(leg)
        return self.becomes(leg, LegStatus.FILLED)

    def held(self) -> Decimal:
        """The signed position in the contract."""
        return next((each.quantity for each in self.broker.positions() if each.contract == self.contract), Decimal(0))

    def hold(self, quantity: int) -> None:
        """Come to a position."""
        self.filled(self.leg("buy" if quantity > 0 else "sell", str(abs(quantity))))

    def exits_leg(self, entry: Leg) -> Leg:
        """The leg under which the order path knows the exits of a bracket."""
        both = entry.take_profit is not None and entry.stop_loss is not None
        alone = OrderType.LIMIT if entry.take_profit is not None else OrderType.STOP
        kind = OrderType.OCO if both else alone
        prices = {"limit_price": entry.take_profit, "stop_price": entry.stop_loss}
        return self.leg(entry.side.opposite.value, str(entry.quantity), name="exits", type=kind, reduce_only=True, **prices)

    def close_market(self, outside_hours: OutsideHours) -> None:
        """Outside the hours of what is traded, which begin again in two hours; `outside_hours`: what the account wants then."""
        store, now = self.services.accounts, self.services.clock.now()
        store.save(store.account(self.account.account_id).model_copy(update={"outside_hours": outside_hours}))
        calendar = calendar_of(self.broker.contract(self.contract).instrument)
        assert calendar is not None
        opens = now + timedelta(hours=2)
        cast(FakeTradingHours, self.services.hours).publish(calendar.code, (Session(opens, opens + timedelta(hours=6)),), now)
        self.simulator.exchange.refuse("market_closed")

    def expire_tokens(self) -> None:
        """From here on the venue refuses what lets the account in now."""
        self.simulator.faults.add({"expire_tokens": True})

    def renew(self) -> Renewal:
        """What the scheduled renewal does each minute."""
        account = self.services.accounts.account(self.account.account_id)
        context = SignInContext(account.account_id, account.connection, self.services.web, self.services.clock)
        sign_in = registry.sign_in(self.key)
        return self.services.tokens.renew_if_due(account.account_id, sign_in, context, "bench")

    def elsewhere(self, url: str) -> BrokerDesk:
        """A desk whose account is reached at another address."""
        account = self.services.accounts.account(self.account.account_id)
        store = FakeAccountStore()
        store.save(account.model_copy(update={"connection": account.connection | venue(self.key).connection(url)}))
        return BrokerDesk(replace(self.services, accounts=store))

    def impatient(self, patience_s: float) -> BrokerDesk:
        """A desk that gives up on every request after so long."""
        web = _ImpatientWeb(FakeRateLimits(self.services.clock), self.services.clock, patience_s)
        return BrokerDesk(replace(self.services, web=web))

    def entry(self, **fields: Any) -> Leg:
        """A market entry with exits ten ticks away on either side."""
        return self.leg(take_profit=self.away(10), stop_loss=self.away(-10), **fields)


class _ImpatientWeb(Web):
    """The way to venues of somebody who does not wait long."""

    def __init__(self, limits: RateLimits, clock: Clock, patience_s: float) -> None:
        super().__init__(limits, clock)
        self._patience_s = patience_s

    def call(self, request: Request, limit: Limit | None = None) -> Reply:
        """The answer, if it comes in time."""
        return super().call(replace(request, timeout_s=min(request.timeout_s, self._patience_s)), limit)


class PaperSide:
    """The other side of the paper exchange, as far as tests need what a simulator has; there is no HTTP that could go wrong."""

    def __init__(self, account_id: str, services: Services, books: FakePaperBookStore) -> None:
        self._account_id, self._services, self._books = account_id, services, books
        self.exchange = self

    @property
    def placing_requests(self) -> int:
        """How many orders it has."""
        return len(self._books.orders)

    def set_price(self, contract: str, price: Decimal) -> None:
        """The market moves."""
        self._services.last_prices.put(contract, price, self._services.clock.now())

    def set_fill_mode(self, name: str, **settings: str) -> None:
        """How orders fill from now on."""
        PaperBroker(self._account_id, self._services).set_scenario(parse(name, settings))

    def refuse(self, code: str) -> None:
        """From now on no order is taken for this reason."""
        PaperBroker(self._account_id, self._services).set_scenario(parse("reject", {"reason": code, "precheck": "false"}))

    def set_cash(self, cash: Decimal) -> None:
        """The account has so much."""
        book = read_book(self._books.load(self._account_id)[0])
        self._books.save(self._account_id, book_document(replace(book, cash=cash)), (), ())


@contextmanager
def bench(
    key: str,
    clock: Clock | None = None,
    ahead: timedelta = timedelta(),
    *,
    hurried: bool = True,
    shares: bool = False,
    **connection: str,
) -> Iterator[Bench]:
    """The venue's simulator on a free port, with one account signed in there; the paper exchange on fakes.

    `ahead`: of ours is the clock of a simulated venue. `hurried`: where tests ask more often than an account may, neither we nor
    the simulator count requests. `shares`: that is what is traded, also where there are futures. `connection`: settings of the
    account besides.
    """
    clock = clock or SystemClock()
    if key == PAPER:
        yield _paper(clock)
        return
    options = Options(strict=True, limited=not hurried or not _lifted(key))
    with running(key, options, SimulatedExchange(now=lambda: clock.now() + ahead)) as simulator:
        paced = {} if hurried else {name: str(registry.capabilities(key).requests_per_minute) for name in _lifted(key)}
        account_for_shares = getattr(venue(key), "SHARES", {}) if shares else {}
        account, services = signed_in(key, simulator.url, clock, **paced | account_for_shares | connection)
        desk = BrokerDesk(services)
        contract, price = traded(key, clock, shares=shares)
        simulator.exchange.set_price(contract, price)
        try:
            yield Bench(key, account, desk, services, simulator, contract, price)
        finally:
            desk.close()
            services.web.close()


def signed_in(key: str, url: str, clock: Clock, **connection: str) -> tuple[AccountRef, Services]:
    """An account that is signed in at the venue's simulator at this address, and what its venue is opened with."""
    package = venue(key)
    account = _account(key, {**package.connection(url), **connection}, package.CREDENTIALS, clock)
    vault, ledger, limits = FakeAccessVault(), FakeTokenLedger(), FakeRateLimits(clock)
    store = FakeAccountStore()
    store.save(account)
    services = services_on(clock, accounts=store, tokens=TokenStore(vault, ledger, clock), web=Web(limits, clock))
    _sign_in(account, package.CREDENTIALS, services)
    return AccountRef(account.account_id, key), services


def _lifted(key: str) -> set[str]:
    """Our own limits that a connection to the simulator lifts."""
    return {"requests_per_minute"}.intersection(venue(key).connection(""))


def traded(key: str, clock: Clock, *, shares: bool = False) -> tuple[str, Decimal]:
    """What tests trade at a venue, and its price when they begin."""
    futures = "future" in registry.capabilities(key).asset_classes and not shares
    resolved = resolve("ES1!" if futures else "AAPL", clock.now().date())
    return resolved.contract, resolved.instrument.demo_price


def _paper(clock: Clock) -> Bench:
    books = FakePaperBookStore()
    services = services_on(clock, paper_books=books)
    account = AccountRef("01PAPER", PAPER)
    contract, price = traded(PAPER, clock)
    side = cast(Simulator, PaperSide(account.account_id, services, books))
    side.exchange.set_price(contract, price)
    return Bench(PAPER, account, BrokerDesk(services), services, side, contract, price)


def traders() -> list[str]:
    """The venues that can trade and have a simulator."""
    return [key for key in registry.venues() if registry.capabilities(key).can_trade and key != PAPER]


def sign_in_code(key: str, credentials: Mapping[str, str], context: SignInContext) -> str | None:
    """What a person's browser would come back with."""
    url = registry.sign_in(key).authorize_url(credentials, context)
    if url is None:
        return None
    answer = httpx.get(url, follow_redirects=False)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def _account(key: str, connection: Mapping[str, str], credentials: Mapping[str, str], clock: Clock) -> Account:
    now = clock.now()
    fields = registry.sign_in(key).fields
    plain = {field.key: credentials[field.key] for field in fields if not field.secret and field.key in credentials}
    return Account(
        account_id=new_id(now),
        user_id="U1",
        venue=key,
        label=key,
        credentials=Credentials.VERIFIED,
        connection={**plain, **connection},
        outside_hours=OutsideHours.QUEUE,
        created_at=now,
    )


def _sign_in(account: Account, credentials: Mapping[str, str], services: Services) -> None:
    sign_in = registry.sign_in(account.venue)
    secret = {field.key: credentials[field.key] for field in sign_in.fields if field.secret and field.key in credentials}
    context = SignInContext(account.account_id, account.connection, services.web, services.clock)
    token = sign_in.sign_in(secret, context, sign_in_code(account.venue, secret, context))
    services.tokens.keep(account.account_id, secret, token, "bench")

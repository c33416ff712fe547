"""Alerts to verified fills at real venues: through the webhook, the deployed functions and each venue's simulator over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from cli.application import run
from cli.means import Means
from fillpath.accounts.model import Credentials, Route, User, Webhook
from fillpath.ids import new_id
from fillpath.market.instruments import resolve
from fillpath.orders.model import LegStatus, Order, OrderState
from fillpath_brokers import registry
from fillpath_brokers.signing_in import SignInContext
from tests.contract.broker_bench import sign_in_code, traders
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.simulators.options import Options
from tests.simulators.server import Simulator, running, venue
from tests.waiting import until

REVERSED = ["Prepare", "ClosePosition", "PollFill", "OpenPosition"]


class AtVenue:
    """A trader whose account is at a simulated venue, added by the command that a person would use."""

    def __init__(self, key: str, trader: Trader, stack: LocalStack, simulator: Simulator) -> None:
        self.trader, self.stack, self.simulator = trader, stack, simulator
        futures = "future" in registry.capabilities(key).asset_classes
        self.symbol = "ES1!" if futures else "AAPL"
        resolved = resolve(self.symbol, datetime.now(UTC).date())
        self.contract, self.tick, self.price = resolved.contract, resolved.instrument.tick_size, resolved.instrument.demo_price
        simulator.exchange.set_price(self.contract, self.price)

    def away(self, ticks: int) -> Decimal:
        return self.price + ticks * self.tick

    def trade(self, action: str, quantity: int, **fields: object) -> Order:
        return self.trader.trade(action, quantity, self.symbol, **fields)

    def held(self) -> Decimal:
        holding = self.simulator.exchange.positions().get(self.contract)
        return holding.quantity if holding else Decimal(0)

    def protection_of(self, entry: Order) -> Order:
        assert entry.protection_id
        return self.trader.look(entry.protection_id)


@contextmanager
def at_venue(key: str, stack: LocalStack, http: httpx.Client, folder: Path) -> Iterator[AtVenue]:
    now = datetime.now(UTC)
    user = User(user_id=new_id(now), email=f"{uuid4().hex}@example.com", created_at=now)
    stack.target.accounts.save(user)
    with running(key, Options(strict=True)) as simulator:
        account_id = added(key, simulator.url, user, stack, folder)
        account = stack.target.accounts.account(account_id)
        route = Route(account_id=account_id)
        webhook = Webhook(webhook_id=new_id(now), user_id=user.user_id, label="test", routes=(route,), created_at=now)
        yield AtVenue(key, Trader(stack, http, user, (account,), webhook), stack, simulator)


class WithBrowser:
    """A person who signs in at the simulator with a browser when the command asks for that, and types nothing else."""

    is_there = True

    def __init__(self, code: str | None) -> None:
        self._code = code

    def ask(self, question: str) -> str:
        assert self._code, question
        return self._code

    def ask_secret(self, question: str) -> str:
        raise AssertionError(question)

    def handed_over(self) -> str:
        raise AssertionError("nothing is handed over")


def added(key: str, url: str, user: User, stack: LocalStack, folder: Path) -> str:
    """The id of an account that `./fillpath account add` made."""
    package = venue(key)
    keys = folder / "credentials.json"
    keys.write_text(json.dumps(dict(package.CREDENTIALS)))
    label = f"sim-{uuid4().hex[:8]}"
    arguments = ["account", "add", key, "--user", user.email, "--label", label, "--terms", "--credentials", str(keys)]
    for name, value in package.connection(url).items():
        arguments += ["--endpoint", value] if name == "endpoint" else ["--set", f"{name}={value}"]
    person = WithBrowser(code_of(key, url, stack))
    assert run(["--local", str(stack.folder), *arguments], Means(person=person)) == 0
    [account] = [each for each in stack.target.accounts.of_user(user.user_id)[0] if each.label == label]
    assert account.credentials is Credentials.VERIFIED
    return account.account_id


def code_of(key: str, url: str, stack: LocalStack) -> str | None:
    package = venue(key)
    secret = {field.key for field in registry.sign_in(key).fields if field.secret}
    entered = {**package.CREDENTIALS, **package.connection(url)}
    context = SignInContext(
        "new",
        {name: value for name, value in entered.items() if name not in secret},
        stack.target.services.web,
        stack.target.clock,
    )
    return sign_in_code(key, {name: value for name, value in entered.items() if name in secret}, context)


@pytest.fixture(params=traders())
def at(request: pytest.FixtureRequest, stack: LocalStack, http: httpx.Client, tmp_path: Path) -> Iterator[AtVenue]:
    with at_venue(request.param, stack, http, tmp_path) as made:
        yield made


def test_an_alert_becomes_a_verified_fill(at: AtVenue) -> None:
    order = at.trade("buy", 2)
    assert (order.state, order.filled_quantity, order.average_price) == (OrderState.FILLED, 2, at.price)
    assert order.legs[0].broker_order_id
    assert at.held() == 2
    assert at.simulator.placing_requests == 1


def test_an_opposite_entry_closes_sees_the_fill_and_opens(at: AtVenue) -> None:
    at.trade("buy", 2)
    order = at.trade("sell", 1)
    assert order.state is OrderState.FILLED
    assert [(leg.leg, int(leg.filled_quantity)) for leg in order.legs] == [("close", 2), ("open", 1)]
    assert at.stack.steps(order) == REVERSED
    assert at.held() == -1
    assert at.simulator.placing_requests == 3


def test_a_bracket_protects_and_its_target_ends_it(at: AtVenue) -> None:
    order = at.trade("buy", 2, take_profit=str(at.away(20)), stop_loss=str(at.away(-20)))
    assert order.state is OrderState.FILLED
    protection = at.protection_of(order)
    assert (protection.state, protection.parent_id) == (OrderState.WORKING, order.order_id)
    at.simulator.exchange.set_price(at.contract, at.away(21))
    until(at.held, lambda held: held == 0)
    at.stack.sweep()
    done = at.trader.ended(protection)
    assert (done.state, done.filled_quantity, done.average_price) == (OrderState.FILLED, 2, at.away(20))
    until(lambda: at.simulator.exchange.orders(working=True), lambda orders: orders == ())


def test_a_partial_exit_makes_the_bracket_protect_what_is_left(at: AtVenue) -> None:
    entry = at.trade("buy", 3, take_profit=str(at.away(20)), stop_loss=str(at.away(-20)))
    exited = at.trade("sell", 1, order_type="exit")
    assert (exited.state, at.held()) == (OrderState.FILLED, 2)
    protection = until(lambda: at.protection_of(entry), lambda now: now.state is OrderState.WORKING and len(now.legs) == 2)
    assert [(leg.leg, leg.status, int(leg.quantity)) for leg in protection.legs] == [
        ("exits", LegStatus.CANCELLED, 3),
        ("protect-1", LegStatus.WORKING, 2),
    ]
    at.simulator.exchange.set_price(at.contract, at.away(-20))
    until(at.held, lambda held: held == 0)
    at.stack.sweep()
    assert at.trader.ended(protection).filled_quantity == 2


def test_a_close_leaves_nothing_behind(at: AtVenue) -> None:
    entry = at.trade("buy", 2, take_profit=str(at.away(20)), stop_loss=str(at.away(-20)))
    closed = at.trade("close", 0)
    assert (closed.state, at.held()) == (OrderState.FILLED, 0)
    assert at.trader.ended(at.protection_of(entry)).state is OrderState.CANCELLED
    assert at.simulator.exchange.orders(working=True) == ()


def test_a_lost_answer_is_looked_up_and_never_sent_again_blindly(at: AtVenue) -> None:
    for method, path in at.simulator.placing:
        at.simulator.faults.add({"drop": True, "when": "after", "times": 1, "match": {"method": method, "path": path}})
    order = at.trader.order("buy", 2, at.symbol)
    at.stack.verify(order, "main")
    assert at.trader.ended(order).state is OrderState.FILLED
    assert (at.held(), at.simulator.placing_requests) == (2, 1)


def test_a_refusal_has_the_venues_own_words(at: AtVenue) -> None:
    at.simulator.exchange.set_cash(Decimal(100))
    order = at.trade("buy", 10)
    assert order.state is OrderState.REJECTED
    assert (order.message or order.legs[0].reason) is not None
    assert at.held() == 0


@pytest.mark.parametrize("at", [key for key in traders() if registry.sign_in(key).renew_before], indirect=True)
def test_a_refused_token_is_renewed_and_the_order_goes_through(at: AtVenue) -> None:
    at.simulator.faults.add({"expire_tokens": True})
    order = at.trader.order("buy", 2, at.symbol)
    at.stack.target.invoke("refresh_tokens", {})
    assert at.trader.ended(order, patience_s=50).state is OrderState.FILLED
    assert (at.held(), len(at.simulator.exchange.orders())) == (2, 1)


def test_an_account_that_is_not_let_in_takes_no_entries_and_says_so(at: AtVenue) -> None:
    account = at.trader.account
    at.stack.target.accounts.save(account.model_copy(update={"credentials": Credentials.NEEDS_REAUTH}))
    answer = at.trader.post("buy", 1, at.symbol)
    assert (answer.status_code, answer.json()["error"]) == (403, "needs_reauth")
    assert at.simulator.placing_requests == 0


def test_flatten_ends_everything_through_the_lanes(at: AtVenue) -> None:
    at.trade("buy", 2, take_profit=str(at.away(20)), stop_loss=str(at.away(-20)))
    assert run(["--local", str(at.stack.folder), "flatten", at.trader.account.label]) == 0
    assert at.held() == 0
    until(lambda: at.simulator.exchange.orders(working=True), lambda orders: orders == ())

"""A trader of his own for each test: user, paper accounts and a webhook, and what he does and sees from outside."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx

from fillpath.accounts.manage import Access, save_webhook
from fillpath.accounts.model import Account, Route, User, Webhook
from fillpath.ids import new_id
from fillpath.market.instruments import resolve
from fillpath.orders.model import Order, OrderState
from fillpath_brokers.exchange.scenario import parse
from fillpath_brokers.paper.venue import PaperBroker
from tests.e2e.local_stack import LocalStack
from tests.waiting import PATIENCE_S, until

ACCEPTED = {200, 202}


class Trader:
    """What one user has and does. Alerts go to the webhook over HTTP; figures are read where the application keeps them."""

    def __init__(
        self, stack: LocalStack, http: httpx.Client, user: User, accounts: tuple[Account, ...], webhook: Webhook
    ) -> None:
        self.user = user
        self.accounts = accounts
        self.webhook = webhook
        self._stack = stack
        self._http = http
        self.access: Access = save_webhook(webhook, stack.target.accounts, stack.target.master_key.read())

    @property
    def account(self) -> Account:
        """The first account."""
        return self.accounts[0]

    @property
    def broker(self) -> PaperBroker:
        """The first account at its venue."""
        broker = self._stack.target.broker(self.account)
        assert isinstance(broker, PaperBroker)
        return broker

    def alert(self, action: str, quantity: object = None, symbol: str = "ES1!", **fields: Any) -> dict[str, Any]:
        """An alert as TradingView would fill it in now; `age_s` makes it older. A field given as None is left out."""
        age_s = fields.pop("age_s", 0)
        sized = {} if quantity is None else {"quantity": quantity}
        content = {
            "action": action,
            "symbol": symbol,
            **sized,
            "timestamp": _stamp(age_s),
            "id": uuid4().hex,
            "secret": self.access.secret,
        }
        return {name: value for name, value in (content | fields).items() if value is not None}

    def send(
        self, alert: Mapping[str, Any] | str, content_type: str = "application/json", path: str | None = None
    ) -> httpx.Response:
        """Post it as it is, to the webhook's own path or to another."""
        where = f"/webhook/tradingview/{self.access.token}" if path is None else path
        body = alert if isinstance(alert, str) else json.dumps(alert)
        return self._http.post(self._stack.api_url + where, content=body, headers={"Content-Type": content_type})

    def post(self, action: str, quantity: object = None, symbol: str = "ES1!", **fields: Any) -> httpx.Response:
        """Post an alert as TradingView would fill it in now."""
        return self.send(self.alert(action, quantity, symbol, **fields))

    def order(self, action: str, quantity: object = None, symbol: str = "ES1!", **fields: Any) -> Order:
        """Have an alert accepted; the order as it is when the answer is there."""
        answer = self.post(action, quantity, symbol, **fields)
        assert answer.status_code in ACCEPTED, answer.text
        return self.look(answer.json()["orders"][0]["order_id"])

    def trade(self, action: str, quantity: object = None, symbol: str = "ES1!", **fields: Any) -> Order:
        """Have an alert accepted and its order ended."""
        return self.ended(self.order(action, quantity, symbol, **fields))

    def look(self, order: Order | str) -> Order:
        """The order as it is now."""
        return self._stack.target.orders.get(order if isinstance(order, str) else order.order_id)

    def ended(self, order: Order | str, patience_s: float = PATIENCE_S) -> Order:
        """The order once it has ended."""
        return until(lambda: self.look(order), lambda now: now.state.ended, patience_s)

    def became(self, order: Order | str, *states: OrderState, patience_s: float = PATIENCE_S) -> Order:
        """The order once it is in one of these states."""
        return until(lambda: self.look(order), lambda now: now.state in states, patience_s)

    def hold(self, quantity: int, symbol: str = "ES1!") -> None:
        """Come to a position, long positive."""
        if quantity:
            assert self.trade("buy" if quantity > 0 else "sell", abs(quantity), symbol).state is OrderState.FILLED

    def position(self, account: Account | None = None) -> Decimal:
        """What the account holds over all contracts, signed."""
        broker = self._stack.target.broker(account or self.account)
        return sum((each.quantity for each in broker.positions()), Decimal(0))

    def broker_orders(self) -> list[str]:
        """The client order ids of everything that was ever placed at the venue."""
        answer = self._stack.dynamodb.query(
            TableName=self._stack.description["tables"]["paper"],
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"PAPER#{self.account.account_id}"}, ":sk": {"S": "ORDER#"}},
            ConsistentRead=True,
        )
        return [item["client_order_id"]["S"] for item in answer["Items"]]

    def scenario(self, name: str, **settings: str) -> None:
        """Put the first account under a scenario."""
        self.broker.set_scenario(parse(name, settings))

    def price(self, symbol: str, price: str) -> None:
        """Make this the last trade of what the symbol means today."""
        now = datetime.now(UTC)
        self._stack.target.prices.put(resolve(symbol, now.date()).contract, Decimal(price), now)

    def halt(self, scope: str = "account") -> None:
        """Halt the first account, or the user with all that is his."""
        self._stack.target.controls.halt(self._scope(scope), datetime.now(UTC), "by a test")

    def resume(self, scope: str = "account") -> None:
        """Let it trade again."""
        self._stack.target.controls.resume(self._scope(scope))

    def _scope(self, scope: str) -> str:
        return f"account:{self.account.account_id}" if scope == "account" else f"user:{self.user.user_id}"


def new_trader(
    stack: LocalStack,
    http: httpx.Client,
    *,
    accounts: int = 1,
    plan_active: bool = True,
    account: Mapping[str, Any] | None = None,
    **webhook: Any,
) -> Trader:
    """A user with paper accounts and a webhook that routes to all of them; `account` and the rest change their settings."""
    now = datetime.now(UTC)
    user = User(user_id=new_id(now), email=f"{uuid4().hex}@example.com", plan_active=plan_active, created_at=now)
    stack.target.accounts.save(user)
    made = tuple(_account(stack, user, now, account or {}) for _ in range(accounts))
    routes = webhook.pop("routes", None) or tuple(Route(account_id=each.account_id) for each in made)
    settings = {"webhook_id": new_id(now), "user_id": user.user_id, "label": "test", "routes": routes, "created_at": now}
    return Trader(stack, http, user, made, Webhook(**settings | webhook))


def _account(stack: LocalStack, user: User, now: datetime, settings: Mapping[str, Any]) -> Account:
    content = {"account_id": new_id(now), "user_id": user.user_id, "venue": "paper", "label": "test", "terms_accepted_at": now}
    account = Account(**{**content, "created_at": now, **settings})
    stack.target.accounts.save(account)
    return account


def _stamp(age_s: float) -> str:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"

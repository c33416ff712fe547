"""Who sends signals: alerts posted by TradingView, orders of other sources, and the records that stand there at the start."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Account, Gate, Route, User, Webhook
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.accounts.tokens import token_digest, webhook_secret, webhook_token
from fillpath.alerts import accept as accepting
from fillpath.errors import Refused, Replayed
from fillpath.ids import new_id
from fillpath.orders.model import Leg, LegStatus, Listing, Operation, Order, OrderState, OrderType, Side, Source, new_leg
from fillpath.orders.plan import surely_reduces
from tests.fakes.master_key import FakeMasterKey
from tests.simulation import ports
from tests.simulation.cloud import Cloud, Result
from tests.simulation.history import Reply
from tests.simulation.host import AWS, Host
from tests.simulation.scenario import CONTRACTS, MIDDLE, Signal
from tests.simulation.virtual import BEGIN, instant

USER, HOOK, VENUE = "U1", "W1", "simulated"
_KEY = FakeMasterKey()
_TOKEN = webhook_token(_KEY.read(), HOOK, 1)
_SECRET = webhook_secret(_KEY.read(), HOOK, 1)
_RESENDS, _RESEND_AFTER_S = 3, 5.0
_STOP_DISTANCE = 6

_OPERATIONS = {
    ("buy", "entry"): Operation.ENTER_LONG,
    ("sell", "entry"): Operation.ENTER_SHORT,
    ("buy", "exit"): Operation.EXIT_SHORT,
    ("sell", "exit"): Operation.EXIT_LONG,
    ("close", "entry"): Operation.CLOSE,
    ("close_long", "entry"): Operation.CLOSE_LONG,
    ("close_short", "entry"): Operation.CLOSE_SHORT,
    ("target", "entry"): Operation.TARGET,
    ("cancel", "entry"): Operation.CANCEL,
}
_SIDES = {"long": 1, "flat": 0, "short": -1}


class _Venues:
    def __init__(self, known: Capabilities) -> None:
        self._known = known

    def capabilities(self, key: str) -> Capabilities:
        return self._known


def register(cloud: Cloud, signals: tuple[Signal, ...], gate: Gate) -> None:
    """The user with two accounts, and a webhook for each set of routes."""
    tables = cloud.tables
    tables.users[USER] = User(user_id=USER, email="u1@example.com", created_at=BEGIN)
    for account_id in ("A1", "A2"):
        tables.accounts[account_id] = Account(
            account_id=account_id, user_id=USER, venue=VENUE, label=account_id, created_at=BEGIN, terms_accepted_at=BEGIN
        )
    for accounts in sorted({signal.accounts for signal in signals}):
        hook = _hook(accounts)
        routes = tuple(Route(account_id=account_id) for account_id in accounts)
        tables.webhooks[hook] = Webhook(webhook_id=hook, user_id=USER, label=hook, routes=routes, gate=gate, created_at=BEGIN)
        token = webhook_token(_KEY.read(), hook, 1)
        tables.tokens[token_digest(token)] = TokenOwner(webhook_id=hook, generation=1, user_id=USER, account_ids=accounts)


def send(cloud: Cloud, signal: Signal) -> None:
    """Have the signal arrive, as often as it is sent."""
    if signal.source is Source.WEBHOOK:
        for delay in signal.posts:
            cloud.time.at(signal.at + signal.late_s + delay, lambda: _post(cloud, signal, _RESENDS))
    else:
        cloud.time.at(signal.at, lambda: _request(cloud, _order(signal), 5))


def protect(cloud: Cloud, account_id: str, contract: str, held: Decimal) -> None:
    """A stop that has rested at the venue since before the scenario begins."""
    at = instant(-3600)
    side = Side.of(-held)
    level = Decimal(MIDDLE + side.sign * _STOP_DISTANCE)
    order = Order(
        **_common(at, account_id, contract[:-2], contract),
        source=Source.DASHBOARD,
        action=str(side),
        order_type="exit",
        operation=Operation.EXIT_LONG if held > 0 else Operation.EXIT_SHORT,
        type=OrderType.STOP,
        quantity=abs(held),
        stop_price=level,
        time_in_force="gtc",
        reduces=True,
        state=OrderState.WORKING,
        listing=Listing.WORKING,
        submitted_at=at,
    )
    leg = new_leg(order, "main", contract, side, abs(held), reduce_only=True)
    placed = cloud.venue.place(account_id, leg)
    cloud.orders.add(order.with_leg(_resting(leg, f"V{placed.number}")))


def _resting(leg: Leg, broker_order_id: str) -> Leg:
    at = instant(-3600)
    changes = {"status": LegStatus.WORKING, "broker_order_id": broker_order_id, "attempts": 1}
    return leg.model_copy(update=changes | {"prepared_at": at, "submitted_at": at, "submit_by": at + timedelta(seconds=10)})


def _hook(accounts: tuple[str, ...]) -> str:
    return f"W-{'-'.join(accounts)}"


def _post(cloud: Cloud, signal: Signal, resends: int) -> None:
    """One request of TradingView; it sends again where the answer is 5xx."""
    hook = _hook(signal.accounts)
    token = webhook_token(_KEY.read(), hook, 1)
    hit = accepting.Hit(token, _body(signal, webhook_secret(_KEY.read(), hook, 1)), instant(round(cloud.time.now, 3)))

    posted = cloud.time.now

    def done(result: Result) -> None:
        if result.failed:
            cloud.history.replies.append(Reply(cloud.time.now, _key(signal), "failed", (), posted))
            if resends:
                cloud.time.after(_RESEND_AFTER_S, lambda: _post(cloud, signal, resends - 1))

    cloud.invoke("accept", 28, lambda host: _webhook(cloud, host, hit, signal), done)


def _webhook(cloud: Cloud, host: Host, hit: accepting.Hit, signal: Signal) -> None:
    desks = accepting.Desks(ports.Alerts(host, cloud.alerts, cloud.orders), cloud.lanes(host), _KEY, _Venues(cloud.venue.known))
    key = _key(signal)
    try:
        accepted = accepting.accept(hit, desks)
    except Replayed as replay:
        orders = tuple(host.call("orders.get", AWS, cloud.orders.get, order_id) for order_id in replay.order_ids)
        accepting.send_unsent(orders, desks)
        reply = Reply(cloud.time.now, key, "replayed_alert", replay.order_ids)
    except Refused as refusal:
        reply = Reply(cloud.time.now, key, refusal.code)
    else:
        reply = Reply(cloud.time.now, key, "accepted", tuple(order.order_id for order in accepted.orders))
    host.say(f"answers {reply.code}")
    cloud.history.replies.append(reply)


def _body(signal: Signal, secret: str) -> bytes:
    content: dict[str, object] = {
        "action": signal.action,
        "order_type": signal.order_type,
        "symbol": CONTRACTS[signal.root],
        "timestamp": f"{instant(signal.at):%Y-%m-%dT%H:%M:%S.%f}Z",
        "secret": secret,
        "quantity": str(signal.quantity),
        "type": str(signal.type),
        "time_in_force": "gtc",
    }
    if signal.price is not None:
        content["limit_price" if signal.type is OrderType.LIMIT else "stop_price"] = signal.price
    extras = {"take_profit": signal.take_profit, "stop_loss": signal.stop_loss, "only_from": "/".join(signal.only_from)}
    extras["quantity_is"] = "contracts" if signal.contracts else ""
    content |= {name: value for name, value in extras.items() if value}
    content |= _position("", signal.target) | _position("prev_", signal.prev)
    return json.dumps(content).encode()


def _position(prefix: str, value: int | None) -> dict[str, object]:
    if value is None:
        return {}
    side = "flat" if value == 0 else "long" if value > 0 else "short"
    return {f"{prefix}market_position": side, f"{prefix}market_position_size": abs(value)}


def _key(signal: Signal) -> str:
    return f"{_hook(signal.accounts)} {instant(signal.at).isoformat()}"


def _request(cloud: Cloud, order: Order, tries: int) -> None:
    """An order of the dashboard, a strategy or a risk rule, asked for again until it is taken."""

    def body(host: Host) -> None:
        host.call("orders.add", AWS, cloud.orders.add, order)
        cloud.history.replies.append(Reply(cloud.time.now, order.order_id, "accepted", (order.order_id,)))
        wake: Callable[..., None] = cloud.lanes(host).wake
        wake(order.lane, order.order_id)

    def done(result: Result) -> None:
        if result.failed and tries:
            cloud.time.after(1.0, lambda: _request(cloud, order, tries - 1))

    cloud.invoke("signal", 25, body, done)


def _order(signal: Signal) -> Order:
    at, account_id = instant(signal.at), signal.accounts[0]
    operation = _OPERATIONS[signal.action, signal.order_type]
    target, prev = _decimal(signal.target), _decimal(signal.prev)
    reduction = surely_reduces(operation, target, prev)
    price = {} if signal.price is None else {f"{signal.type}_price": Decimal(signal.price)}
    bracket = signal.take_profit is not None or signal.stop_loss is not None
    return Order(
        **_common(at, account_id, signal.root, CONTRACTS[signal.root]),
        source=signal.source,
        action=signal.action,
        order_type=signal.order_type,
        operation=operation,
        type=signal.type,
        quantity=Decimal(signal.quantity),
        time_in_force="gtc",
        take_profit=_decimal(signal.take_profit),
        stop_loss=_decimal(signal.stop_loss),
        protection_id=new_id(at) if bracket else None,
        target=target,
        prev=prev,
        only_from=tuple(_SIDES[side] for side in signal.only_from) or None,
        includes_close=signal.contracts,
        deadline=at + timedelta(seconds=300 if reduction else 60),
        reduces=reduction,
        listing=Listing.WAITING,
        **price,
    )


def _common(at: datetime, account_id: str, root: str, contract: str) -> dict[str, object]:
    order_id = new_id(at)
    return {
        "order_id": order_id,
        "alert_id": order_id,
        "user_id": USER,
        "account_id": account_id,
        "venue": VENUE,
        "symbol": contract,
        "root": root,
        "contract": contract,
        "alert_time": at,
        "received_at": at,
    }


def _decimal(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)

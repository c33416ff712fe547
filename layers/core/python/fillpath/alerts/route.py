"""From a canonical alert to one order per route: the operation, the quantities in the account's own size, and what forbids it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Account, Credentials, Gate, QuantityIs, RollBy, Route
from fillpath.alerts.body import invalid
from fillpath.alerts.canonical import CanonicalAlert
from fillpath.alerts.ports.alert_store import Context
from fillpath.alerts.ports.venues import Venues
from fillpath.alerts.rules import held_back
from fillpath.errors import Refused, Unsupported
from fillpath.ids import new_id
from fillpath.market.instruments import Instrument, Resolved, resolve
from fillpath.orders.model import Event, Listing, Operation, Order, OrderState, OrderType
from fillpath.orders.plan import surely_reduces

ENTRY_DEADLINE_S = 60
REDUCTION_DEADLINE_S = 300
_NOISE = Decimal("0.0001")
"""Share of a tick or lot by which a number may miss it and still mean it: what floating point adds."""

_OPERATIONS = {
    ("buy", "entry"): Operation.ENTER_LONG,
    ("sell", "entry"): Operation.ENTER_SHORT,
    ("buy", "exit"): Operation.EXIT_SHORT,
    ("sell", "exit"): Operation.EXIT_LONG,
}
_WHATEVER_THE_SIZE = {
    "close": Operation.CLOSE,
    "close_long": Operation.CLOSE_LONG,
    "close_short": Operation.CLOSE_SHORT,
    "flatten": Operation.CLOSE,  # a close clears its lane of resting orders too
    "cancel": Operation.CANCEL,
}
_SIDES = {"long": 1, "flat": 0, "short": -1}


def operation_of(alert: CanonicalAlert) -> Operation:
    """What the alert wants; the strategy's new position decides where it is told."""
    if alert.signed_target is not None and alert.action not in {"flatten", "cancel"}:
        return Operation.TARGET
    return _WHATEVER_THE_SIZE.get(alert.action) or _OPERATIONS[alert.action, alert.order_type]


def reduces(alert: CanonicalAlert) -> bool:
    """Whether the alert can only bring a position nearer to zero."""
    prev = alert.signed_prev
    return surely_reduces(operation_of(alert), alert.signed_target, prev)


class Draft(NamedTuple):
    """The order of one route, and every reason (code and text) for which this route is refused: the first one is told."""

    order: Order
    refusals: tuple[tuple[str, str], ...]


def draft_orders(
    alert: CanonicalAlert, context: Context, alert_id: str, received_at: datetime, venues: Venues
) -> tuple[Order, ...]:
    """One order per route, QUEUED or REJECTED with the route's reason; Refused as a whole only if every route is."""
    drafted = drafts(alert, context, alert_id, received_at, venues)
    if all(draft.refusals for draft in drafted):
        raise _all_refused(drafted)
    return tuple(_ended(order, refusals[0], received_at) if refusals else order for order, refusals in drafted)


def drafts(alert: CanonicalAlert, context: Context, alert_id: str, received_at: datetime, venues: Venues) -> tuple[Draft, ...]:
    """One draft per route; Refused where the alert itself cannot become an order."""
    resolved = resolve(alert.symbol, received_at.date(), exchange=alert.exchange)
    if resolved.no_entry and not reduces(alert):
        raise invalid("symbol", f"{resolved.no_entry}; send the one that trades now, or {resolved.instrument.root}1!")
    _check_prices(alert, resolved.instrument)
    _check_bracket(alert)
    if not context.webhook.routes:
        raise Refused("not_found", "this webhook has no route; add one with ./fillpath webhook set --route ACCOUNT")
    orders = [
        _only_reducing(_draft(alert, route, context, resolved, received_at, alert_id), context)
        for route in context.webhook.routes
    ]
    return tuple(Draft(order, tuple(_refusals(alert, order, context, resolved.instrument, venues))) for order in orders)


def _draft(
    alert: CanonicalAlert, route: Route, context: Context, resolved: Resolved, received_at: datetime, alert_id: str
) -> Order:
    account = context.accounts.get(route.account_id)
    reduction = reduces(alert)
    if account and resolved.nth:
        resolved = resolve(alert.symbol, received_at.date(), account.roll_days, alert.exchange)
    bracket = alert.take_profit is not None or alert.stop_loss is not None
    return Order(
        order_id=new_id(received_at),
        protection_id=new_id(received_at) if bracket else None,
        alert_id=alert_id,
        user_id=context.user.user_id,
        account_id=route.account_id,
        venue=account.venue if account else "",
        simulation=account.simulation if account else True,
        webhook_id=context.webhook.webhook_id,
        symbol=alert.symbol,
        root=resolved.instrument.root,
        contract=resolved.contract,
        action=alert.action,
        order_type=alert.order_type,
        operation=operation_of(alert),
        type=alert.type,
        quantity=_scaled(alert.quantity, route.multiplier, resolved.instrument),
        limit_price=_settled(alert.limit_price, resolved.instrument),
        stop_price=_settled(alert.stop_price, resolved.instrument),
        trail_amount=_settled(alert.trail_amount, resolved.instrument),
        trail_percent=alert.trail_percent,
        take_profit=_settled(alert.take_profit, resolved.instrument),
        stop_loss=_settled(alert.stop_loss, resolved.instrument),
        time_in_force=alert.time_in_force,
        target=_scaled(alert.signed_target, route.multiplier, resolved.instrument),
        prev=_scaled(alert.signed_prev, route.multiplier, resolved.instrument),
        prev_side=alert.prev_side,
        gate=alert.gate or context.webhook.gate,
        includes_close=(alert.quantity_is or context.webhook.quantity_is) is QuantityIs.CONTRACTS,
        at_front=resolved.nth == 1 and account is not None and account.roll_by is RollBy.VENUE,
        one_order_flip=account is not None and account.one_order_flip,
        only_from=None if alert.only_from is None else tuple(_SIDES[side] for side in alert.only_from),
        alert_time=alert.timestamp,
        received_at=received_at,
        deadline=received_at + timedelta(seconds=REDUCTION_DEADLINE_S if reduction else ENTRY_DEADLINE_S),
        reduces=reduction,
        listing=Listing.WAITING,
        events=(Event(at=received_at, to_state=OrderState.QUEUED),),
    )


def _only_reducing(order: Order, context: Context) -> Order:
    """A resync may open where the strategy reduces; where an entry would not be allowed, the order may only reduce."""
    account = context.accounts.get(order.account_id)
    if order.gate is not Gate.RESYNC or not order.reduces or not order.target or account is None:
        return order
    as_entry = order.model_copy(update={"reduces": False})
    stale = (order.received_at - order.alert_time).total_seconds() > context.webhook.entry_staleness_s
    barred = stale or any(held_back(context, order.root, order.received_at)) or any(_not_entitled(as_entry, account, context))
    return order.model_copy(update={"gate": Gate.IGNORE}) if barred else order


def _refusals(
    alert: CanonicalAlert, order: Order, context: Context, instrument: Instrument, venues: Venues
) -> Iterator[tuple[str, str]]:
    account = context.accounts.get(order.account_id)
    if account is None or account.user_id != context.user.user_id:
        yield "not_found", f"account {order.account_id} is not yours or not there; change the webhook's routes"
        return
    try:
        capabilities = venues.capabilities(account.venue)
    except Unsupported as exc:
        yield "unsupported", str(exc)
        return
    yield from _not_entitled(order, account, context)
    others = (
        _no_credentials(account, capabilities),
        _not_traded(instrument, account, capabilities),
        _not_supported(alert, account, capabilities),
        _bad_size(order, instrument),
        _bad_fraction(alert, order, account, capabilities),
    )
    yield from (refusal for refusal in others if refusal)


def _not_entitled(order: Order, account: Account, context: Context) -> Iterator[tuple[str, str]]:
    """What holds back entries; what reduces is never refused for a plan, terms, a list or a halt."""
    if order.reduces:
        return
    if not context.user.plan_active:
        yield "plan_inactive", f"the plan {context.user.plan} is not active; exits still work"
    if account.terms_accepted_at is None:
        terms = f"the terms of account {account.label} are not accepted: ./fillpath account set {account.typed} --terms"
        yield "terms_not_accepted", terms
    if account.symbols and order.root not in account.symbols:
        yield "symbol_not_allowed", f"{order.root} is not among this account's symbols ({', '.join(account.symbols)})"
    scopes = ("environment", f"user:{order.user_id}", f"account:{order.account_id}")
    for halt in (context.halts[scope] for scope in scopes if scope in context.halts):
        yield "halted", f"trading is halted for {halt.scope}: {halt.reason}; exits still work"


def _no_credentials(account: Account, capabilities: Capabilities) -> tuple[str, str] | None:
    if not capabilities.credentials_required or account.credentials is Credentials.VERIFIED:
        return None
    if account.credentials is Credentials.NEEDS_REAUTH:
        again = f"./fillpath account sign-in {account.typed}"
        return "needs_reauth", f"account {account.label} must be signed in at {account.venue} again: {again}"
    return "credentials_missing", f"account {account.label} has no verified credentials for {account.venue}"


def _not_traded(instrument: Instrument, account: Account, capabilities: Capabilities) -> tuple[str, str] | None:
    if not capabilities.can_trade:
        return "unsupported", f"{account.venue} gives data only"
    if instrument.kind not in capabilities.asset_classes:
        kinds = _listed(capabilities.asset_classes)
        return "unsupported", f"symbol: {account.venue} cannot trade {instrument.root} ({instrument.kind}); it trades: {kinds}"
    if account.kinds and instrument.kind not in account.kinds:
        what, kinds = f"{instrument.root} ({instrument.kind})", ", ".join(account.kinds)
        return "unsupported", f"symbol: account {account.label} at {account.venue} cannot trade {what}; it trades: {kinds}"
    return None


def _not_supported(alert: CanonicalAlert, account: Account, capabilities: Capabilities) -> tuple[str, str] | None:
    if lacking := capabilities.lacks(account.venue, alert.type, alert.time_in_force):
        return "unsupported", lacking
    if (alert.take_profit or alert.stop_loss) and not capabilities.bracket and not reduces(alert):
        return "unsupported", f"take_profit, stop_loss: {account.venue} has no brackets; send the exits as limit and stop orders"
    return None


def _bad_size(order: Order, instrument: Instrument) -> tuple[str, str] | None:
    step, size = instrument.lot_step, _size(order)
    if size % step == 0:
        return None
    return "bad_quantity", f"quantity: {size.normalize():f} is not a multiple of {step}, the smallest size of {order.root}"


def _bad_fraction(alert: CanonicalAlert, order: Order, account: Account, capabilities: Capabilities) -> tuple[str, str] | None:
    size = _size(order)
    if size % 1 == 0:
        return None
    if not capabilities.fractional and order.reduces and order.operation is not Operation.TARGET:
        return None  # it is cut to what is held, and that is whole
    if not capabilities.fractional:
        return "bad_quantity", f"quantity: {account.venue} trades whole numbers, and {size.normalize():f} is none"
    simple = alert.time_in_force == "day" and alert.type not in {OrderType.OCO, OrderType.TRAILING_STOP}
    if not capabilities.simple_fractions or (simple and (order.reduces or not (alert.take_profit or alert.stop_loss))):
        return None
    takes = "a single order for the day that does not trail, without take_profit and stop_loss"
    return "unsupported", f"quantity: {account.venue} takes {size.normalize():f} only as {takes}; send a whole number"


def _size(order: Order) -> Decimal:
    """What the order is for, as far as it says so; 0 where the position decides."""
    if order.operation in _WHATEVER_THE_SIZE.values():
        return Decimal(0)
    return abs((order.target if order.operation is Operation.TARGET else order.quantity) or Decimal(0))


def _check_bracket(alert: CanonicalAlert) -> None:
    """Of an entry whose side is known: the target lies beyond the stop, and the price that it rests at between them.

    Of a pair of exits: the same, for the position that it exits.
    """
    target = alert.signed_target
    up = target > 0 if target is not None else {"buy": True, "sell": False}.get(alert.action)
    if alert.type is OrderType.OCO:
        up, levels = alert.action == "sell", [("stop_price", alert.stop_price), ("limit_price", alert.limit_price)]
    elif up is None or target == 0 or alert.order_type == "exit":
        return
    else:
        rests_at = alert.limit_price or alert.stop_price
        levels = [("stop_loss", alert.stop_loss), ("price", rests_at), ("take_profit", alert.take_profit)]
    known = [(name, price) for name, price in levels if price is not None]
    for (below, low), (above, high) in pairwise(known if up else known[::-1]):
        if low >= high:
            field = above if above != "price" else below
            raise invalid(field, f"{high if field == above else low} is on the wrong side: {below} must be below {above}")


def _check_prices(alert: CanonicalAlert, instrument: Instrument) -> None:
    for field in ("limit_price", "stop_price", "trail_amount", "take_profit", "stop_loss"):
        price = getattr(alert, field)
        if price is not None and _settled(price, instrument) is None:
            raise invalid(field, f"{price} is not a multiple of {instrument.tick_size}, the tick of {instrument.root}")


def _settled(price: Decimal | None, instrument: Instrument) -> Decimal | None:
    """The price on its tick, if it lies there but for noise."""
    if price is None:
        return None
    tick = instrument.tick_size
    ticks = (price / tick).to_integral_value()
    return ticks * tick if ticks > 0 and abs(price - ticks * tick) <= tick * _NOISE else None


def _scaled(value: Decimal | None, multiplier: Decimal, instrument: Instrument) -> Decimal | None:
    """In the account's own size, without the noise of floating point; what is no multiple of the lot stays and is refused."""
    if value is None:
        return None
    lots = (value * multiplier / instrument.lot_step).to_integral_value()
    settled = lots * instrument.lot_step
    return settled if abs(value * multiplier - settled) <= instrument.lot_step * _NOISE else value * multiplier


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))


def _ended(order: Order, refusal: tuple[str, str], at: datetime) -> Order:
    code, text = refusal
    event = Event(at=at, from_state=OrderState.QUEUED, to_state=OrderState.REJECTED, reason=code)
    changes = {"state": OrderState.REJECTED, "reason": code, "message": text, "listing": Listing.NONE}
    return order.model_copy(update={**changes, "events": (*order.events, event)})


def _all_refused(drafted: tuple[Draft, ...]) -> Refused:
    routes = [{"account_id": order.account_id, "code": refusals[0][0], "message": refusals[0][1]} for order, refusals in drafted]
    code, text = drafted[0].refusals[0]
    return Refused(code, text, {"routes": routes})

"""CrossTrade's commands for NinjaTrader: `key=value;` text (or the same as JSON), where a quantity is what is traded in all."""

from decimal import Decimal
from typing import Annotated, Any

from fillpath.alerts.body import Message, invalid
from fillpath.alerts.canonical import CanonicalAlert, Number, Position, Price, Quantity, Secret, Sides, Symbol, Text
from fillpath.alerts.dialects import shapes
from fillpath.alerts.dialects.dialect import Dialect
from fillpath.alerts.dialects.reading import Fields, Flag, canonical, missing, position_of, read, words

_PLACES = ("place", "flatplace", "reverseposition")
_SIMPLE = {"closeposition": "close", "flatten": "flatten", "cancelorders": "cancel", "cancelallorders": "cancel"}
_NO_ID = "single orders are not addressed; send CANCELALLORDERS with the instrument, then PLACE"
_COMMAND_REMEDIES = {
    **dict.fromkeys(("cancel", "cancelreplace", "change"), _NO_ID),
    "reverse": "REVERSE does not say its size; send REVERSEPOSITION with action and qty",
    "flatteneverything": "an alert acts on one instrument; send FLATTEN with the instrument, one alert for each",
    "closestrategy": "ATM strategies live in NinjaTrader; send CLOSEPOSITION with the instrument",
}
_ORDER_TYPES = {
    "market": "market",
    "limit": "limit",
    "stopmarket": "stop",
    "stop": "stop",
    "stoplimit": "stop_limit",
}
_GATES = {"wait": "reject", "ignore": "ignore", "resync": "resync"}
_GATE_REMEDIES = {"flatten": "flattening on a mismatch is not supported; write resync (with target_quantity), or wait"}
_NAMES = {
    "symbol": "instrument",
    "secret": "key",
    "quantity": "qty",
    "type": "order_type",
    "time_in_force": "tif",
    "market_position_size": "qty",
}
_ATM = "ATM strategies live in NinjaTrader; remove it, and send take_profit and stop_loss as prices"
_REFUSED = {
    "kill_switch": "an alert does not halt trading; run ./fillpath halt, and ./fillpath resume",
    "rate_limit": "spacing is a setting of the webhook: ./fillpath webhook set --cooldown; remove it",
    "strategy": _ATM,
    "append_atm": _ATM,
    "oco_id": "orders are tied together by take_profit and stop_loss only; remove it",
    "delay": "alerts are not held back; remove it",
    "timeout": "resting orders are not cancelled after a time; remove it",
    "max_positions": "send require_market_position=flat/long with BUY, flat/short with SELL; remove it",
    "trading_window": "trading hours are a setting of the webhook: ./fillpath webhook set --window; remove it",
    "strategy_exit_block": "an exit never opens here: send market_position, and remove it",
    "destination": "a webhook's routes say where it trades; remove it",
    "percent": "send PLACE with qty and market_position for a part of the position",
    "order_id": _NO_ID,
}


class _Command(Fields):
    """What CrossTrade documents of its commands."""

    key: Secret | None = None
    command: Annotated[str, words({each: each for each in (*_PLACES, *_SIMPLE)}, _COMMAND_REMEDIES)]
    account: Text | None = None
    instrument: Symbol | None = None
    action: Annotated[str, words({"buy": "buy", "sell": "sell"})] | None = None
    qty: Quantity | None = None
    order_type: Annotated[str, words(_ORDER_TYPES)] = "market"
    tif: Annotated[str, words({"day": "day", "gtc": "gtc"})] = "day"
    limit_price: Price | None = None
    stop_price: Price | None = None
    take_profit: Price | None = None
    stop_loss: Price | None = None
    flatten_first: Flag = False
    require_market_position: Sides | None = None
    sync_strategy: Flag = False
    market_position: Position | None = None
    prev_market_position: Position | None = None
    out_of_sync: Annotated[str, words(_GATES, _GATE_REMEDIES)] | None = None
    target_quantity: Number | None = None
    id: Text | None = None
    strategy_tag: Text | None = None
    comment: Text | None = None


def _parse(message: Message) -> CanonicalAlert:
    command = read(_Command, {name.lower(): value for name, value in message.fields.items()}, _REFUSED)
    if command.instrument is None:
        missing("instrument", "an alert acts on one instrument")
    if "," in (command.account or ""):
        raise invalid("account", "the webhook's routes say which accounts trade; name one, or remove it")
    simple = _SIMPLE.get(command.command)
    if simple:
        return _canonical(command, **_nothing_more(command, simple))
    return _canonical(command, **_place(command))


def _canonical(command: _Command, **wish: Any) -> CanonicalAlert:
    return canonical(
        _NAMES,
        **wish,
        symbol=command.instrument,
        secret=command.key,
        id=command.id,
        strategy=command.strategy_tag,
        comment=command.comment,
    )


def _nothing_more(command: _Command, action: str) -> dict[str, Any]:
    """A command for the whole position or all orders; what would narrow it is refused."""
    for field in ("qty", "require_market_position", "flatten_first"):
        if getattr(command, field):
            raise invalid(field, f"{command.command.upper()} takes everything; remove it, or send PLACE")
    return {"action": action}


def _place(command: _Command) -> dict[str, Any]:
    if command.action is None:
        missing("action", "write BUY or SELL")
    if not command.qty:
        missing("qty", "it must be above 0")
    return {
        "action": command.action,
        "quantity": command.qty,
        "type": command.order_type,
        "limit_price": command.limit_price,
        "stop_price": command.stop_price,
        "take_profit": command.take_profit,
        "stop_loss": command.stop_loss,
        "time_in_force": command.tif,
        "only_from": command.require_market_position,
        "prev_market_position": command.prev_market_position,
        **_gate(command),
        **_size(command, command.action, command.qty),
    }


def _gate(command: _Command) -> dict[str, Any]:
    if not command.sync_strategy:
        return {}
    for field in ("market_position", "prev_market_position"):
        if getattr(command, field) is None:
            missing(field, f"sync_strategy compares it: {field}={{{{strategy.{field}}}}};")
    gate = command.out_of_sync or "reject"
    if gate == "resync" and command.target_quantity is None:
        missing("target_quantity", "out_of_sync=resync needs it: target_quantity={{strategy.position_size}};")
    return {"gate": gate}


def _size(command: _Command, side: str, quantity: Decimal) -> dict[str, Any]:
    """The new position where the command tells it; else the kind of order, its quantity counted as NinjaTrader nets it."""
    opened = position_of(side)
    if command.flatten_first or command.command != "place":
        if command.order_type != "market":
            raise invalid("order_type", "what closes first trades at the market; write MARKET")
        return {"market_position": opened, "market_position_size": quantity}
    if command.target_quantity is not None:
        return _target(command, command.target_quantity)
    if command.market_position == "flat":
        return {"market_position": "flat"}
    if command.market_position in {None, opened}:
        return {"quantity_is": "contracts"}
    return {"order_type": "exit"}


def _target(command: _Command, target: Decimal) -> dict[str, Any]:
    position = "flat" if target == 0 else position_of("buy" if target > 0 else "sell")
    if command.market_position not in {None, position}:
        raise invalid("target_quantity", f"is {target:f}, which is not {command.market_position}")
    return {"market_position": position, "market_position_size": abs(target)}


DIALECT = Dialect("crosstrade", shapes.is_crosstrade, _parse, secret_field="key", timed=False)  # noqa: S106 - the name of a field

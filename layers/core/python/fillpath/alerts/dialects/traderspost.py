"""TradersPost's signal: `ticker`, `action`, `sentiment` (where the strategy stands afterwards), exits as prices or distances."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from fillpath.alerts.body import Message, invalid
from fillpath.alerts.canonical import CanonicalAlert, Moment, Number, Price, Quantity, Symbol, Text
from fillpath.alerts.dialects import shapes
from fillpath.alerts.dialects.dialect import Dialect
from fillpath.alerts.dialects.prices import beside
from fillpath.alerts.dialects.reading import Fields, canonical, missing, position_of, read, side_of, words

_ACTIONS = {each: each for each in ("buy", "sell", "exit", "add", "reverse", "cancel")}
_SENTIMENTS = {"long": "long", "bullish": "long", "short": "short", "bearish": "short", "flat": "flat"}
_TYPES = {each: each for each in ("market", "limit", "stop", "stop_limit", "trailing_stop")}
_IN_FORCE = {each: each for each in ("day", "gtc", "ioc", "fok")}
_NAMES = {
    "symbol": "ticker",
    "timestamp": "time",
    "type": "orderType",
    "limit_price": "limitPrice",
    "stop_price": "stopPrice",
    "trail_amount": "trailAmount",
    "trail_percent": "trailPercent",
    "take_profit": "takeProfit",
    "stop_loss": "stopLoss",
    "time_in_force": "timeInForce",
    "market_position": "sentiment",
    "market_position_size": "quantity",
}
_OPTIONS = "options are not traded here; remove it and send the symbol of a future, share or coin"
_WINDOW = "trading hours are a setting of the webhook: ./fillpath webhook set --window; remove it"
_REFUSED = {
    "cancelAfter": "resting orders are not cancelled after a time; remove it, and send an alert with action cancel",
    "delay": "alerts are not held back; remove it",
    "extendedHours": "orders outside regular hours are not supported; remove it",
    "ignoreTradingWindows": _WINDOW,
    "test": "nothing is executed by ./fillpath alert preview FILE; remove it",
    **dict.fromkeys(("optionType", "intrinsicValue", "expiration", "strikeCount", "strikesAway", "strikePrice"), _OPTIONS),
}
_ENTRIES = {"buy", "sell", "add", "reverse"}


def _plain(value: object) -> object:
    if isinstance(value, str) and value.strip().startswith("="):
        raise ValueError("expressions are not computed here; compute the price in Pine and send the number")
    return value


_Price = Annotated[Price, BeforeValidator(_plain)]
_PNL = "an amount of profit or loss is not supported; send a price, an amount of price or a percentage"


class _Exit(Fields):
    percent: _Price | None = None
    amount: _Price | None = None


class _TakeProfit(_Exit):
    limit_price: Annotated[_Price | None, Field(alias="limitPrice")] = None


class _StopLoss(_Exit):
    type: Annotated[Literal["stop"], words({"stop": "stop"}, dict.fromkeys(
        ("stop_limit", "trailing_stop"), "a stop loss is a stop order; send type stop, or the stop as an order of its own"
    ))] = "stop"  # fmt: skip
    stop_price: Annotated[_Price | None, Field(alias="stopPrice")] = None


class _Signal(Fields):
    """What TradersPost documents of a signal for futures, shares and coins."""

    ticker: Symbol
    action: Annotated[str, words(_ACTIONS)]
    sentiment: Annotated[str, words(_SENTIMENTS)] | None = None
    quantity: Quantity | None = None
    quantityType: Annotated[str, words({"fixed_quantity": "fixed_quantity"}, dict.fromkeys(  # noqa: N815 - the field's own name
        ("dollar_amount", "risk_dollar_amount", "risk_percent", "percent_of_equity", "percent_of_position"),
        "sizes are numbers of contracts, shares or coins: compute quantity in Pine and send fixed_quantity",
    ))] = "fixed_quantity"  # fmt: skip
    type: Annotated[str, words(_TYPES), Field(alias="orderType")] = "market"
    limit_price: Annotated[_Price | None, Field(alias="limitPrice")] = None
    stop_price: Annotated[_Price | None, Field(alias="stopPrice")] = None
    trail_amount: Annotated[_Price | None, Field(alias="trailAmount")] = None
    trail_percent: Annotated[_Price | None, Field(alias="trailPercent")] = None
    time_in_force: Annotated[str, words(_IN_FORCE), Field(alias="timeInForce")] = "day"
    take_profit: Annotated[_TakeProfit | None, Field(alias="takeProfit")] = None
    stop_loss: Annotated[_StopLoss | None, Field(alias="stopLoss")] = None
    signal_price: Annotated[_Price | None, Field(alias="signalPrice")] = None
    price: Number | None = None
    time: Moment | None = None
    interval: Text | None = None
    extras: Any = None


def _parse(message: Message) -> CanonicalAlert:
    signal = read(_Signal, message.fields, _REFUSED)
    wish = _wish(signal)
    orders = {
        name: getattr(signal, name)
        for name in ("type", "limit_price", "stop_price", "trail_amount", "trail_percent", "time_in_force")
    }
    return canonical(
        _NAMES,
        **wish | orders | _exits(signal),
        symbol=signal.ticker,
        timestamp=signal.time,
        interval=signal.interval,
        price=signal.signal_price or signal.price,
    )


def _wish(signal: _Signal) -> dict[str, Any]:
    match signal.action:
        case "cancel":
            return {"action": "cancel"}
        case "exit":
            return _exit(signal)
        case "add" | "reverse":
            return _add(signal) if signal.action == "add" else _reverse(signal)
        case side:
            return _trade(signal, side)


def _exit(signal: _Signal) -> dict[str, Any]:
    if signal.quantity:
        raise invalid("quantity", "exit closes everything; for a part send sell with sentiment long, or buy with sentiment short")
    if signal.sentiment in {"long", "short"}:
        raise invalid("sentiment", f"exit ends flat, not {signal.sentiment}; remove it")
    return {"action": "close"}


def _add(signal: _Signal) -> dict[str, Any]:
    side = side_of(signal.sentiment)
    if side is None:
        missing("sentiment", "add needs long or short, the position that is to grow")
    return {"action": side, "quantity": _sized(signal), "only_from": (signal.sentiment,)}


def _reverse(signal: _Signal) -> dict[str, Any]:
    side = side_of(signal.sentiment)
    if side is None:
        missing("sentiment", "reverse needs long or short, the position it ends with, and quantity, its size")
    quantity = _sized(signal)
    other = "short" if side == "buy" else "long"
    return {
        "action": side,
        "quantity": quantity,
        "market_position": signal.sentiment,
        "market_position_size": quantity,
        "only_from": (other,),
    }


def _trade(signal: _Signal, side: str) -> dict[str, Any]:
    if signal.sentiment == "flat":
        return {"action": side, "quantity": signal.quantity, "market_position": "flat"}
    if signal.sentiment in {None, position_of(side)}:
        return {"action": side, "quantity": _sized(signal)}
    if signal.quantity is None:
        return {"action": f"close_{signal.sentiment}"}
    return {"action": side, "order_type": "exit", "quantity": _sized(signal)}


def _is_exit(signal: _Signal) -> bool:
    """Whether a buy or sell exits by its sentiment: one message serves all orders of a strategy, exits have no use in these."""
    return signal.action in {"buy", "sell"} and signal.sentiment not in {None, position_of(signal.action)}


def _sized(signal: _Signal) -> Decimal:
    if signal.quantity is None:
        missing("quantity", 'the size is part of the message here: "quantity": 1, or "{{strategy.order.contracts}}"')
    return signal.quantity


def _exits(signal: _Signal) -> dict[str, Any]:
    if (signal.take_profit is None and signal.stop_loss is None) or _is_exit(signal):
        return {}
    if signal.action not in _ENTRIES:
        raise invalid("takeProfit" if signal.take_profit else "stopLoss", f"does not go with action {signal.action}; remove it")
    long = (side_of(signal.sentiment) if signal.action in {"add", "reverse"} else signal.action) == "buy"
    found: dict[str, Any] = {}
    if signal.take_profit:
        found["take_profit"] = _level("takeProfit", signal, signal.take_profit, signal.take_profit.limit_price, above=long)
    if signal.stop_loss:
        found["stop_loss"] = _level("stopLoss", signal, signal.stop_loss, signal.stop_loss.stop_price, above=not long)
    return found


def _level(field: str, signal: _Signal, given: _Exit, price: Decimal | None, *, above: bool) -> Decimal:
    told = [each for each in (price, given.amount, given.percent) if each is not None]
    if len(told) != 1:
        name = "limitPrice" if field == "takeProfit" else "stopPrice"
        raise invalid(field, f"needs one of {name}, amount and percent")
    if price is not None:
        return price
    reference = signal.limit_price or signal.stop_price or signal.signal_price or signal.price
    if reference is None or reference <= 0:
        raise invalid(field, 'is a distance from a price that is not in the message; add "signalPrice": "{{close}}"')
    return beside(signal.ticker, reference, told[0], percent=given.percent is not None, above=above)


DIALECT = Dialect("traderspost", shapes.is_traderspost, _parse, secret_field=None, time_field="time")

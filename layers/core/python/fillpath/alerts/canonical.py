"""The canonical alert: what every dialect becomes before anything is decided."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fillpath.accounts.model import Gate, QuantityIs
from fillpath.alerts.body import invalid
from fillpath.clock import from_epoch_ms
from fillpath.orders.model import OrderType

_LARGEST = Decimal("1e12")
_SMALLEST = Decimal("1e-20")
_FINEST = -20
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_MS_FROM = Decimal("1e11")
"""Unix times from here on are milliseconds: as seconds they would lie beyond the year 5000."""


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be a number")
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{_shown(value)} is not a number")
    number = Decimal(text)
    if not -_LARGEST <= number <= _LARGEST or 0 < abs(number) < _SMALLEST:
        raise ValueError(f"{_shown(value)} is out of range")
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < _FINEST:
        raise ValueError(f"{_shown(value)} has too many decimals")
    return number


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return _from_unix(Decimal(value))
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 time or a Unix time")
    text = value.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return _from_unix(Decimal(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{_shown(value)} is not a time; send {{{{timenow}}}}, e.g. 2026-01-05T14:30:00Z") from None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{_shown(value)} is out of range") from None


def _from_unix(number: Decimal) -> datetime:
    milliseconds = number if number >= _MS_FROM else number * 1000
    if not 0 < milliseconds < _MS_FROM * 1000:
        raise ValueError(f"{_shown(number)} is not a Unix time in seconds or milliseconds")
    return from_epoch_ms(int(milliseconds))


def _shown(value: object) -> str:
    text = str(value)
    if "{{" in text:
        return f"the placeholder {text!r} was not filled in; it"
    return repr(text if len(text) <= 40 else text[:40] + "...")


def _word(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _text(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _sides(value: object) -> object:
    return tuple(_word(each) for each in value.split("/")) if isinstance(value, str) else value


Number = Annotated[Decimal, BeforeValidator(_number)]
Quantity = Annotated[Number, Field(ge=0)]
Price = Annotated[Number, Field(gt=0)]
Word = BeforeValidator(_word)
Position = Annotated[Literal["long", "short", "flat"], Word]
Text = Annotated[str, BeforeValidator(_text), Field(max_length=200)]
Secret = Annotated[str, Field(max_length=200)]
Symbol = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=40)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Sides = Annotated[tuple[Position, ...], BeforeValidator(_sides)]
TimeInForce = Annotated[Literal["day", "gtc", "ioc", "fok"], Word]
AnyModel = TypeVar("AnyModel", bound=BaseModel)


class CanonicalAlert(BaseModel):
    """One alert, understood. Optional fields that arrive empty count as absent; unknown fields are refused by name.

    Without `timestamp` the moment of arrival counts, where the webhook allows it. `only_from`: an entry acts only while the
    account holds one of these sides. `gate` and `quantity_is` go before the webhook's own settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    action: Annotated[Literal["buy", "sell", "close_long", "close_short", "close", "target", "cancel", "flatten"], Word]
    symbol: Symbol
    timestamp: Moment | None = None
    secret: Secret | None = None
    token: Secret | None = None
    order_type: Annotated[Literal["entry", "exit"], Word] = "entry"
    quantity: Quantity | None = Field(default=None, validation_alias=AliasChoices("quantity", "qty"))
    market_position: Position | None = None
    market_position_size: Quantity | None = None
    prev_market_position: Position | None = None
    prev_market_position_size: Quantity | None = None
    type: Annotated[OrderType, Word] = OrderType.MARKET
    limit_price: Price | None = None
    stop_price: Price | None = None
    trail_amount: Price | None = None
    trail_percent: Price | None = None
    take_profit: Price | None = None
    stop_loss: Price | None = None
    time_in_force: TimeInForce = "day"
    only_from: Sides | None = None
    gate: Annotated[Gate, Word] | None = None
    quantity_is: Annotated[QuantityIs, Word] | None = None
    id: Text | None = None
    strategy: Text | None = None
    comment: Text | None = None
    exchange: Text | None = None
    interval: Text | None = None
    price: Number | None = None

    @property
    def signed_target(self) -> Decimal | None:
        """The strategy's new position, if the alert tells it: long positive."""
        return _signed(self.market_position, self.market_position_size)

    @property
    def signed_prev(self) -> Decimal | None:
        """The strategy's position before, if the alert tells side and size."""
        return _signed(self.prev_market_position, self.prev_market_position_size)

    @property
    def prev_side(self) -> int | None:
        """The side of the strategy's position before: +1, 0 or -1."""
        return None if self.prev_market_position is None else _SIGN[self.prev_market_position]


_SIGN = {"long": 1, "short": -1, "flat": 0}
_TRAILS = ("trail_amount", "trail_percent")
_TYPE_OF_PRICE = {"limit_price": "limit", "stop_price": "stop", "trail_amount": "trailing_stop", "trail_percent": "trailing_stop"}
_REQUIRED_PRICES = {
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "limit_price"),
    OrderType.OCO: ("limit_price", "stop_price"),
}


def parse_canonical(raw: Mapping[str, Any]) -> CanonicalAlert:
    """The alert in these fields; Refused(invalid_alert) naming the first field that is wrong, why, and what to do."""
    if {"qty", "quantity"} <= raw.keys():
        raise invalid("qty", "stands beside quantity; send one of them")
    alert = validated(CanonicalAlert, raw)
    _check_sizes(alert)
    _check_type_prices(alert)
    _check_exits(alert)
    return alert


def _check_type_prices(alert: CanonicalAlert) -> None:
    """A price that the type does not use is refused: whoever sends it means another order than would be placed."""
    required = _REQUIRED_PRICES.get(alert.type, ())
    for field in required:
        if getattr(alert, field) is None:
            raise invalid(field, f"is missing; a {alert.type} order needs it")
    trails = alert.type is OrderType.TRAILING_STOP
    if trails and alert.trail_amount is None and alert.trail_percent is None:
        raise invalid("trail_amount", "is missing; a trailing_stop needs it, or trail_percent")
    allowed = {*required, *(_TRAILS if trails else ())}
    for field in ("limit_price", "stop_price", *_TRAILS):
        if field not in allowed and getattr(alert, field) is not None:
            raise invalid(field, f"has no use in a {alert.type} order; send type {_TYPE_OF_PRICE[field]}, or leave it away")


def _check_exits(alert: CanonicalAlert) -> None:
    if alert.trail_amount is not None and alert.trail_percent is not None:
        raise invalid("trail_percent", "stands beside trail_amount; send one of them")
    if alert.trail_percent is not None and alert.trail_percent >= 100:
        raise invalid("trail_percent", "must be below 100")
    if alert.type is OrderType.OCO and (alert.action not in {"buy", "sell"} or alert.order_type != "exit"):
        raise invalid("type", "oco is a pair of exits for what is held; send buy or sell with order_type exit")
    if (alert.take_profit or alert.stop_loss) and alert.order_type == "exit":
        raise invalid("take_profit" if alert.take_profit else "stop_loss", "has no use in an exit; send type oco, limit or stop")


def validated(model: type[AnyModel], raw: Mapping[str, Any]) -> AnyModel:
    """The fields as this model, the empty ones left out; Refused(invalid_alert) naming the first that is wrong."""
    for field, value in raw.items():
        if not _is_text(field) or (isinstance(value, str) and not _is_text(value)):
            raise invalid(field.encode("utf-8", "replace").decode()[:60] or "''", "holds half a character")
    try:
        return model.model_validate({key: value for key, value in raw.items() if value not in ("", None)})
    except ValidationError as exc:
        raise _as_refusal(exc, model) from None


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_sizes(alert: CanonicalAlert) -> None:
    if alert.market_position in {"long", "short"} and not alert.market_position_size:
        raise invalid("market_position_size", f"must be above 0 with market_position {alert.market_position}")
    if alert.market_position == "flat" and alert.market_position_size:
        raise invalid("market_position_size", "must be 0 with market_position flat")
    prev, size = alert.prev_market_position, alert.prev_market_position_size
    if prev is not None and size is not None and (prev == "flat") != (size == 0):
        raise invalid("prev_market_position_size", f"does not go with prev_market_position {prev}")
    if alert.action == "target" and alert.market_position is None:
        raise invalid("market_position", "is missing; the action target needs it, with market_position_size")
    if alert.market_position is None and alert.action in {"buy", "sell"} and not alert.quantity:
        raise invalid("quantity", f"must be above 0 for {alert.action}, or send market_position and market_position_size")


def _signed(side: str | None, size: Decimal | None) -> Decimal | None:
    if side == "flat":
        return Decimal(0)
    return None if side is None or size is None else _SIGN[side] * size


def _as_refusal(exc: ValidationError, model: type[BaseModel]) -> Exception:
    error = exc.errors(include_url=False, include_input=False)[0]
    field = _named(error["loc"])
    if model is CanonicalAlert and field == "qty":
        field = "quantity"
    match error["type"]:
        case "missing":
            reason = "is missing"
        case "extra_forbidden":
            known = [info.alias or name for name, info in model.model_fields.items()]
            close = get_close_matches(field, known, n=1)
            reason = "is not a field of an alert" + (f"; did you mean {close[0]}?" if close else "; remove it")
        case "value_error":
            reason = str(error["ctx"]["error"])
        case _:
            reason = error["msg"][0].lower() + error["msg"][1:]
    return invalid(field, reason)


def _named(loc: tuple[int | str, ...]) -> str:
    """The field as the sender knows it, nested ones with dots."""
    named = [part for part in loc if isinstance(part, str)]
    return (".".join(named) or "''").encode("utf-8", "replace").decode()[:60] if named else "body"

"""Messages of products that are known but not understood: each is refused by its product's name, with what to write instead."""

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from fillpath.alerts.body import Message, invalid
from fillpath.alerts.dialects.dialect import Dialect

_INSTEAD = "write {}; docs/alerts.md has the whole message"
_STRATEGY = '"action": "{{strategy.order.action}}", "quantity": "{{strategy.order.contracts}}", the four market_position fields'
_LUNE = {
    "longentry": '"action": "buy"',
    "shortentry": '"action": "sell"',
    "longexit": '"action": "close_long"',
    "shortexit": '"action": "close_short"',
    "longpartialexit": '"action": "sell", "order_type": "exit"',
    "shortpartialexit": '"action": "buy", "order_type": "exit"',
    "longaddtoposition": '"action": "buy", "only_from": "long"',
    "shortaddtoposition": '"action": "sell", "only_from": "short"',
}
_OKX = {
    "enter_long": '"action": "buy" with quantity',
    "exit_long": '"action": "close_long"',
    "enter_short": '"action": "sell" with quantity',
    "exit_short": '"action": "close_short"',
}
_ALTRADY = {
    "open": '"action": "buy" (long) or "sell" (short) with quantity',
    "increase": '"action": "buy", "only_from": "long" (or sell and short) with quantity',
    "reduce": '"action": "sell", "order_type": "exit" (or buy for a short) with quantity',
    "close": '"action": "close_long" or "close_short"',
    "reverse": '"action": "target" with market_position and market_position_size',
}


class _Product(NamedTuple):
    name: str
    known: Callable[[Message], bool]
    field: str
    instead: Callable[[Any], str]


def _keys(*names: str) -> Callable[[Message], bool]:
    return lambda message: message.fields.keys() >= set(names)


def _one_of(*names: str) -> Callable[[Message], bool]:
    return lambda message: not message.fields.keys().isdisjoint(names)


def _speaks_lune(message: Message) -> bool:
    return _word(message.fields.get("action")) in _LUNE


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _by_word(words: dict[str, str], otherwise: str) -> Callable[[Any], str]:
    return lambda value: words.get(_word(value), otherwise)


def _always(text: str) -> Callable[[Any], str]:
    return lambda _value: text


_PRODUCTS = (
    _Product("an OKX signal bot", _one_of("signalToken"), "action", _by_word(_OKX, _STRATEGY)),
    _Product("Altrady", _one_of("api_secret"), "action", _by_word(_ALTRADY, '"action": "close"')),
    _Product("tradingview-alert-connector", _one_of("market"), "order", _always(f'"symbol" for market, {_STRATEGY}')),
    _Product(
        "tradingview-alerts-processor",
        _one_of("direction"),
        "direction",
        _by_word({"close": '"action": "close"'}, '"action": "buy" or "sell", and quantity as a number, not as a share'),
    ),
    _Product("TV-Hub", _one_of("isBuy", "isSell", "isClose"), "pair", _always('"symbol" and "action": buy, sell or close')),
    _Product("NinjaSync", _one_of("auth_token"), "alert", _always('"action", "symbol", "quantity", "take_profit", "stop_loss"')),
    _Product("Lune", _speaks_lune, "action", _by_word(_LUNE, '"action"')),
    _Product("a bare bar", _keys("open", "close"), "action", _always('"action" and "quantity": a bar says nothing of a trade')),
)


def is_foreign(message: Message) -> bool:
    """Whether one of these products sent it."""
    return _product(message) is not None


def _product(message: Message) -> _Product | None:
    return next((each for each in _PRODUCTS if each.known(message)), None)


def _parse(message: Message) -> NoReturn:
    product = _product(message)
    if product is None:
        raise invalid("body", "is not an alert that is known here")
    instead = product.instead(message.fields.get(product.field))
    raise invalid(product.field, f"this is the message of {product.name}; {_INSTEAD.format(instead)}")


DIALECT = Dialect("foreign", is_foreign, _parse)

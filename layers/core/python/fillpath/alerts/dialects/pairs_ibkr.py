"""pairs-ibkr's alert: TradingView's placeholders under short names, so that it tells the whole position."""

from typing import Annotated

from fillpath.alerts.body import Message
from fillpath.alerts.canonical import CanonicalAlert, Number, Position, Quantity, Secret, Symbol, Text
from fillpath.alerts.dialects import shapes
from fillpath.alerts.dialects.dialect import Dialect
from fillpath.alerts.dialects.reading import Fields, canonical, read, words

_NAMES = {
    "symbol": "ticker",
    "secret": "passphrase",
    "action": "order_action",
    "quantity": "order_contracts",
    "market_position": "mar_pos",
    "market_position_size": "mar_pos_size",
    "prev_market_position": "pre_mar_pos",
    "prev_market_position_size": "pre_mar_pos_size",
}


class _Alert(Fields):
    """The fields of its message."""

    passphrase: Secret | None = None
    ticker: Symbol
    order_action: Annotated[str, words({"buy": "buy", "sell": "sell"})]
    order_contracts: Quantity
    order_price: Number | None = None
    mar_pos: Position
    mar_pos_size: Quantity
    pre_mar_pos: Position
    pre_mar_pos_size: Quantity
    order_comment: Text | None = None


def _parse(message: Message) -> CanonicalAlert:
    alert = read(_Alert, message.fields, {})
    return canonical(
        _NAMES,
        action=alert.order_action,
        symbol=alert.ticker,
        secret=alert.passphrase,
        quantity=alert.order_contracts,
        market_position=alert.mar_pos,
        market_position_size=alert.mar_pos_size,
        prev_market_position=alert.pre_mar_pos,
        prev_market_position_size=alert.pre_mar_pos_size,
        comment=alert.order_comment,
        price=alert.order_price,
    )


DIALECT = Dialect("pairs_ibkr", shapes.is_pairs_ibkr, _parse, secret_field="passphrase", timed=False)  # noqa: S106 - a field's name

"""What is wrong with a leg, whatever the account holds. Out: the refusal in the exchange's words, or None."""

from decimal import Decimal

from fillpath.market.instruments import Instrument, instrument_of
from fillpath.orders.model import Leg, OrderType, Side
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.exchange.checks import bad_price, bad_quantity
from fillpath_brokers.paper.capabilities import CAPABILITIES

_LABELS = {
    "limit_price": "limit price",
    "stop_price": "stop price",
    "trail_amount": "trail amount",
    "take_profit": "take profit",
    "stop_loss": "stop loss",
}
_NEEDED = {
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "limit_price"),
    OrderType.OCO: ("limit_price", "stop_price"),
}
_A = {
    OrderType.LIMIT: "A limit",
    OrderType.STOP: "A stop",
    OrderType.STOP_LIMIT: "A stop_limit",
    OrderType.OCO: "An oco",
}
_RESTING = ("day", "gtc")


def malformed(leg: Leg) -> Rejected | None:
    """Symbol, lot, type, prices, time in force, exits."""
    instrument = instrument_of(leg.contract)
    if instrument is None:
        return invalid_symbol(leg)
    return (
        bad_quantity(instrument, leg.contract, leg.quantity)
        or _unsupported(leg)
        or _bad_prices(leg, instrument)
        or _bad_trail(leg)
        or _bad_pair(leg)
        or _bad_exits(leg)
    )


def misplaced(leg: Leg, price: Decimal) -> Rejected | None:
    """Exits of an entry at the market that are on the wrong side of the present price."""
    if leg.type not in (OrderType.MARKET, OrderType.TRAILING_STOP):
        return None
    return _wrong_side(leg, price, "the price")


def invalid_symbol(leg: Leg) -> Rejected:
    """The refusal of a symbol that is not traded here."""
    return Rejected("invalid_symbol", f"Invalid symbol: {leg.contract} is not traded here")


def _unsupported(leg: Leg) -> Rejected | None:
    if leg.type not in CAPABILITIES.order_types:
        return Rejected(
            "unsupported", f"Unsupported order type {leg.type}; the paper exchange takes {_listed(CAPABILITIES.order_types)}"
        )
    if leg.time_in_force not in CAPABILITIES.time_in_force:
        return Rejected(
            "unsupported", f"Unsupported time in force {leg.time_in_force}; possible: {_listed(CAPABILITIES.time_in_force)}"
        )
    rests = leg.type is OrderType.OCO or _has_exits(leg)
    if rests and leg.time_in_force not in _RESTING:
        return Rejected("unsupported", f"Unsupported time in force {leg.time_in_force}; exits rest: day or gtc")
    return None


def _bad_prices(leg: Leg, instrument: Instrument) -> Rejected | None:
    for name in _NEEDED.get(leg.type, ()):
        price = getattr(leg, name)
        if price is None or price <= 0:
            return Rejected("invalid_price", f"{_A[leg.type]} order needs a positive {_LABELS[name]}")
    for name, label in _LABELS.items():
        price = getattr(leg, name)
        if price is not None and (wrong := bad_price(instrument, leg.contract, label, price)):
            return wrong
    return None


def _bad_trail(leg: Leg) -> Rejected | None:
    if leg.type is not OrderType.TRAILING_STOP:
        return None
    if (leg.trail_amount is None) == (leg.trail_percent is None):
        return Rejected("invalid_price", "A trailing_stop order needs either a trail amount or a trail percent")
    if leg.trail_percent is not None and not 0 < leg.trail_percent < 100:
        return Rejected("invalid_price", f"Invalid trail percent {leg.trail_percent}: it must be between 0 and 100")
    return None


def _bad_pair(leg: Leg) -> Rejected | None:
    if leg.type is not OrderType.OCO or leg.limit_price is None or leg.stop_price is None:
        return None
    if leg.side.sign * (leg.stop_price - leg.limit_price) > 0:
        return None
    where = "below" if leg.side is Side.SELL else "above"
    return Rejected("invalid_price", f"Invalid stop price {leg.stop_price}: to {leg.side} it must be {where} the limit price")


def _bad_exits(leg: Leg) -> Rejected | None:
    if not _has_exits(leg):
        return None
    if leg.reduce_only or leg.type is OrderType.OCO:
        return Rejected("unsupported", "Only an entry can have a take profit and a stop loss")
    if leg.take_profit is not None and leg.stop_loss is not None and leg.side.sign * (leg.take_profit - leg.stop_loss) <= 0:
        where = "above" if leg.side is Side.BUY else "below"
        return Rejected("invalid_price", f"Invalid take profit {leg.take_profit}: it must be {where} the stop loss")
    for name in ("limit_price", "stop_price"):
        price = getattr(leg, name)
        if price is not None and (wrong := _wrong_side(leg, price, f"the {_LABELS[name]}")):
            return wrong
    return None


def _wrong_side(leg: Leg, price: Decimal, what: str) -> Rejected | None:
    for label, level, sign in (("take profit", leg.take_profit, 1), ("stop loss", leg.stop_loss, -1)):
        if level is not None and sign * leg.side.sign * (level - price) <= 0:
            where = "above" if sign * leg.side.sign > 0 else "below"
            return Rejected("invalid_price", f"Invalid {label} {level}: it must be {where} {what}, {price.normalize():f}")
    return None


def _has_exits(leg: Leg) -> bool:
    return leg.take_profit is not None or leg.stop_loss is not None


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))

"""Refusals: what the exchange does not take, and in which words. In: a leg and the scenario; out: the outcome, or None."""

from collections.abc import Callable

from fillpath.market.instruments import Instrument, instrument_of
from fillpath.orders.model import Leg, OrderType
from fillpath.orders.outcomes import RateLimited, Rejected
from fillpath_brokers.paper.book import ZERO
from fillpath_brokers.paper.capabilities import CAPABILITIES
from fillpath_brokers.paper.hours import trading_hours
from fillpath_brokers.paper.margin import insufficient_margin, tied_up
from fillpath_brokers.paper.matching import instrument_behind
from fillpath_brokers.paper.prices import on_tick
from fillpath_brokers.paper.scenario import Scenario


def malformed(leg: Leg) -> Rejected | None:
    """What is wrong with the leg itself: symbol, lot, type, prices, time in force."""
    instrument = instrument_of(leg.contract)
    if instrument is None:
        return _invalid_symbol(leg)
    if leg.quantity <= 0 or leg.quantity % instrument.lot_step:
        return Rejected(
            "invalid_quantity", f"Invalid quantity {leg.quantity}: {leg.contract} trades in steps of {instrument.lot_step}"
        )
    if leg.type not in CAPABILITIES.order_types:
        return Rejected(
            "unsupported", f"Unsupported order type {leg.type}; the paper exchange takes {_listed(CAPABILITIES.order_types)}"
        )
    if leg.time_in_force not in CAPABILITIES.time_in_force:
        return Rejected(
            "unsupported", f"Unsupported time in force {leg.time_in_force}; possible: {_listed(CAPABILITIES.time_in_force)}"
        )
    return _bad_price(leg, instrument)


def scripted(scenario: Scenario, leg: Leg) -> Rejected | RateLimited:
    """The refusal that a `reject` scenario asks for."""
    return _SCRIPTED[scenario.settings["reason"]](leg, scenario)


def _bad_price(leg: Leg, instrument: Instrument) -> Rejected | None:
    needed = {OrderType.LIMIT: ("limit price", leg.limit_price), OrderType.STOP: ("stop price", leg.stop_price)}
    if leg.type not in needed:
        return None
    label, price = needed[leg.type]
    if price is None or price <= 0:
        return Rejected("invalid_price", f"A {leg.type} order needs a positive {label}")
    if on_tick(instrument, price) != price:
        return Rejected("invalid_price", f"Invalid {label} {price}: {leg.contract} trades in ticks of {instrument.tick_size}")
    return None


def _invalid_symbol(leg: Leg) -> Rejected:
    return Rejected("invalid_symbol", f"Invalid symbol: {leg.contract} is not traded here")


def _market_closed(leg: Leg) -> Rejected:
    return Rejected("market_closed", f"Market closed: {leg.contract} trades {trading_hours(instrument_behind(leg.contract))}")


def _margin(leg: Leg) -> Rejected:
    instrument = instrument_behind(leg.contract)
    return insufficient_margin(required=tied_up(instrument, leg.side.sign * leg.quantity, instrument.demo_price), available=ZERO)


def _position_mode(_: Leg) -> Rejected:
    return Rejected("position_mode", "Position mode mismatch: the account is in hedge mode. Switch to one-way mode")


def _rate_limited(_: Leg, scenario: Scenario) -> RateLimited:
    delay = scenario.number("delay")
    return RateLimited(float(delay), f"Too many requests: send again in {delay} s")


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))


_SCRIPTED: dict[str, Callable[[Leg, Scenario], Rejected | RateLimited]] = {
    "insufficient_margin": lambda leg, _: _margin(leg),
    "market_closed": lambda leg, _: _market_closed(leg),
    "invalid_symbol": lambda leg, _: _invalid_symbol(leg),
    "position_mode": lambda leg, _: _position_mode(leg),
    "rate_limited": _rate_limited,
}

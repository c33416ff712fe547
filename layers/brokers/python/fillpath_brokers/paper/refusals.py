"""Refusals that a `reject` scenario asks for, in the exchange's words. In: a leg and the scenario; out: the outcome."""

from collections.abc import Callable

from fillpath.orders.model import Leg
from fillpath.orders.outcomes import RateLimited, Rejected
from fillpath_brokers.exchange.margin import insufficient_margin, tied_up
from fillpath_brokers.exchange.orders import ZERO
from fillpath_brokers.exchange.scenario import Scenario
from fillpath_brokers.exchange.touch import instrument_behind
from fillpath_brokers.market_hours import closed
from fillpath_brokers.paper.malformed import invalid_symbol


def scripted(scenario: Scenario, leg: Leg) -> Rejected | RateLimited:
    """The refusal that a `reject` scenario asks for."""
    return _SCRIPTED[scenario.settings["reason"]](leg, scenario)


def _market_closed(leg: Leg) -> Rejected:
    # Only ever because the scenario says so: the paper exchange itself is always open.
    return Rejected("market_closed", closed(instrument_behind(leg.contract), leg.contract))


def _margin(leg: Leg) -> Rejected:
    instrument = instrument_behind(leg.contract)
    return insufficient_margin(required=tied_up(instrument, leg.side.sign * leg.quantity, instrument.demo_price), available=ZERO)


def _position_mode(_: Leg) -> Rejected:
    return Rejected("position_mode", "Position mode mismatch: the account is in hedge mode. Switch to one-way mode")


def _rate_limited(_: Leg, scenario: Scenario) -> RateLimited:
    delay = scenario.number("delay")
    return RateLimited(float(delay), f"Too many requests: send again in {delay} s")


_SCRIPTED: dict[str, Callable[[Leg, Scenario], Rejected | RateLimited]] = {
    "insufficient_margin": lambda leg, _: _margin(leg),
    "market_closed": lambda leg, _: _market_closed(leg),
    "invalid_symbol": lambda leg, _: invalid_symbol(leg),
    "position_mode": lambda leg, _: _position_mode(leg),
    "rate_limited": _rate_limited,
}

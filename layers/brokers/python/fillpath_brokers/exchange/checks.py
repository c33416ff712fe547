"""Whether figures fit an instrument: a quantity its lots, a price its ticks. Out: the refusal, or None."""

from decimal import Decimal

from fillpath.market.instruments import Instrument
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.exchange.touch import on_tick


def bad_quantity(instrument: Instrument, contract: str, quantity: Decimal) -> Rejected | None:
    """What is wrong with a quantity."""
    if quantity > 0 and not quantity % instrument.lot_step:
        return None
    return Rejected("invalid_quantity", f"Invalid quantity {quantity}: {contract} trades in steps of {instrument.lot_step}")


def bad_price(instrument: Instrument, contract: str, label: str, price: Decimal) -> Rejected | None:
    """What is wrong with a price (or a distance), which the text calls `label`."""
    if price <= 0:
        return Rejected("invalid_price", f"Invalid {label} {price}: it must be positive")
    if on_tick(instrument, price) != price:
        return Rejected("invalid_price", f"Invalid {label} {price}: {contract} trades in ticks of {instrument.tick_size}")
    return None

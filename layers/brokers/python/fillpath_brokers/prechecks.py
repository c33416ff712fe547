"""What every venue refuses alike before an order is sent: quantities that are not whole, and what costs more than there is."""

from decimal import Decimal

from fillpath.orders.model import Leg
from fillpath.orders.outcomes import Rejected


def not_whole(leg: Leg, venue: str) -> Rejected | None:
    """For venues that trade whole numbers of shares or contracts only."""
    if leg.quantity > 0 and not leg.quantity % 1:
        return None
    return Rejected("invalid_quantity", f"{venue} trades whole numbers: {leg.quantity} {leg.contract} is none")


def too_dear(required: Decimal, available: Decimal, what: str, currency: str = "") -> Rejected | None:
    """Where an order ties up more of `what` (buying power, margin) than is available, in the account's currency."""
    return insufficient(required, available, what, currency) if required > available else None


def insufficient(required: Decimal, available: Decimal, what: str, currency: str = "") -> Rejected:
    """The refusal of an order that ties up more than there is."""
    text = f"insufficient {what}: {required:,.2f} required, {available:,.2f} {currency}".rstrip()
    return Rejected("insufficient_margin", f"{text} available")

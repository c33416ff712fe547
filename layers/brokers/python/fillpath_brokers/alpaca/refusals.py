"""What Alpaca refuses, in our words: an answer to an order comes in, our reason code with Alpaca's own text goes out."""

import re
from collections.abc import Mapping
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.reasons import Reasons
from fillpath_brokers.sending import is_refusal
from fillpath_brokers.web import Reply

_DUPLICATE = re.compile(r"client.?order.?id.*(unique|exist|duplicate|already|used)", re.IGNORECASE)
_PATTERN_DAY_TRADER = 40310100
# Branching on text: Alpaca uses one code for many cases.
_REASONS = Reasons(
    (r"insufficient qty|insufficient position", "insufficient_position"),
    (r"insufficient|buying power", "insufficient_margin"),
    (r"not allowed to short|cannot be sold short|not shortable", "short_not_allowed"),
    (r"fractionable|fractional", "invalid_quantity"),
    (r"wash trade|opposite side", "wash_trade"),
    (r"pattern day", "pattern_day_trader"),
    (r"asset .* not found|could not find|invalid symbol|not tradable", "invalid_symbol"),
    (r"increment|price", "invalid_price"),
    (r"qty|quantity", "invalid_quantity"),
    (r"market.*closed|outside.*hours", "market_closed"),
)


def refusal(reply: Reply) -> Rejected:
    """Why an order was not placed; for statuses that are evidence of it (4xx)."""
    code, text = read(reply)
    if code == _PATTERN_DAY_TRADER:
        return Rejected("pattern_day_trader", text)
    return Rejected(_REASONS.of(text), text)


def is_duplicate(reply: Reply) -> bool:
    """Whether the client order id was used before. Its text alone decides: taken for a refusal, it would hide an order."""
    return is_refusal(reply) and _DUPLICATE.search(read(reply)[1]) is not None


def read(reply: Reply) -> tuple[int, str]:
    """Code and text of an error; 0 where it has none that can be read."""
    try:
        document: Any = reply.json()
    except BrokerUnavailable:
        return 0, reply.text
    if not isinstance(document, Mapping):
        return 0, reply.text
    code = document.get("code")
    return code if isinstance(code, int) else 0, str(document.get("message") or reply.text)

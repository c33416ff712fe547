"""What Schwab refuses, in our words: an answer comes in, our reason code with Schwab's own text goes out.

Schwab tells errors in four shapes: the trader's `{"message", "errors": [text]}`, the market data's `{"errors": [{"title",
"detail"}]}` (the one for a refused token, too), the gateway's `{"fault": {"faultstring", "detail": {"errorcode"}}}`, and that of
OAuth, `{"error", "error_description"}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.reasons import Reasons
from fillpath_brokers.web import Reply

TOO_BIG = "protocol.http.TooBigBody"
_FORBIDDEN = 403
# Branching on text: Schwab has no codes but a few, which stand in the text as well.
_REASONS = Reasons(
    (r"Position_Sys_0001|oversold|overbought|more shares than|do not (?:own|hold)", "insufficient_position"),
    (r"buying power|insufficient funds|available funds|margin", "insufficient_margin"),
    (r"short s(?:ale|ell)|sell(?:ing)? short|sold short|not shortable|hard to borrow|borrow", "short_not_allowed"),
    (r"market (?:is )?closed|outside .*hours|not (?:accepted|available) .*session", "market_closed"),
    (r"symbol|instrument|security", "invalid_symbol"),
    (r"Order_Sys_0002|stop price|limit price|increment|price", "invalid_price"),
    (r"quantity|fraction|shares", "invalid_quantity"),
    (r"restricted|closing only|account .*(?:closed|blocked)|Account_Sys_0005", "account_blocked"),
    (r"position limit|maximum .*position", "position_limit"),
    (r"not (?:entitled|authorized|permitted|allowed)|forbidden", "not_entitled"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error says: its text, and the code where it has one."""

    text: str
    code: str = ""


def reason_of(text: str) -> str:
    """Our reason code for Schwab's words."""
    return _REASONS.of(text)


def refusal(reply: Reply) -> Rejected:
    """Why an order was not placed; for statuses that are evidence of it (4xx)."""
    text = read(reply).text
    reason = reason_of(text)
    if reason == "rejected" and reply.status == _FORBIDDEN:
        reason = "not_entitled"
    return Rejected(reason, text)


def is_schwabs(reply: Reply) -> bool:
    """Whether an error is the trader's own, and not that of something before it."""
    try:
        document: Any = reply.json()
    except BrokerUnavailable:
        return False
    return isinstance(document, Mapping) and (bool(document.get("message")) or isinstance(document.get("errors"), list))


def read(reply: Reply) -> Problem:
    """What an error says, in whichever shape."""
    try:
        document: Any = reply.json()
    except BrokerUnavailable:
        return Problem(reply.text or f"status {reply.status}")
    if not isinstance(document, Mapping):
        return Problem(reply.text)
    fault = document.get("fault")
    if isinstance(fault, Mapping):
        detail = fault.get("detail")
        code = detail.get("errorcode", "") if isinstance(detail, Mapping) else ""
        return Problem(str(fault.get("faultstring") or reply.text), str(code))
    text = "; ".join(dict.fromkeys(_texts(document)))
    return Problem(text or reply.text or f"status {reply.status}", str(document.get("error") or ""))


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    for name in ("error", "error_description", "message"):
        if document.get(name):
            yield str(document[name])
    errors = document.get("errors")
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, Mapping):
            yield str(each.get("detail") or each.get("title") or each)
        else:
            yield str(each)

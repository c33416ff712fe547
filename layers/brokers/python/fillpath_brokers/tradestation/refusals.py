"""What TradeStation refuses, in our words: its answer comes in, our reason code with its own text goes out.

Only a few of its texts are known, so they are matched loosely.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.reasons import Reasons
from fillpath_brokers.web import Reply

_REASONS = Reasons(
    (r"boxed position|insufficient (position|shares|quantity)|no (open )?position|exceeds .*position", "insufficient_position"),
    (r"position limit|maximum (position|contracts)", "position_limit"),
    (r"closing transactions? only|liquidating|account .*(restricted|closed|inactive|blocked|suspended)", "account_blocked"),
    (r"insufficient|buying power|margin|funds", "insufficient_margin"),
    (r"short sale|not shortable|hard.to.borrow|sell short|locate", "short_not_allowed"),
    (r"market .*closed|closed market|outside .*(hours|session)|session .*closed|not open for trading", "market_closed"),
    (r"entitle|permission|not authorized|agreement", "not_entitled"),
    (r"(invalid|unknown) symbol|symbol .*(invalid|not found|expired|not tradable)", "invalid_symbol"),
    (r"not supported|TIF of|duration|time.in.force|order type", "unsupported"),
    (r"price|increment|tick", "invalid_price"),
    (r"quantity|round lot", "invalid_quantity"),
)
_DUPLICATE = re.compile(r"duplicate|already (been )?(used|submitted|placed|exists)", re.IGNORECASE)
_IN_DOUBT = re.compile(r"timed?[ -]?out|no response|(service|temporarily) unavailable|unknown error", re.IGNORECASE)
_NOTHING_TO_CANCEL = re.compile(
    r"not an open order|invalid order id|cancel has been attempted|already (cancel|filled)|too late", re.IGNORECASE
)
_NOTHING_THERE = re.compile(r"not found|invalid order id|no orders?\b|does not exist", re.IGNORECASE)
_OF_AN_ORDER = re.compile(r"\border", re.IGNORECASE)
_OF_AN_ACCOUNT = re.compile(r"account", re.IGNORECASE)


def reason_of(text: str) -> str:
    """Our reason code for a text of TradeStation."""
    return _REASONS.of(text)


def refusal(text: str) -> Rejected:
    """Why an order was not placed or changed; for answers that are evidence of it."""
    return Rejected(reason_of(text), text)


def is_duplicate(text: str) -> bool:
    """Whether the confirmation id was used before."""
    return _DUPLICATE.search(text) is not None


def is_in_doubt(text: str) -> bool:
    """Whether an error says that nobody knows what became of the order."""
    return _IN_DOUBT.search(text) is not None


def has_ended(text: str) -> bool:
    """Whether a cancellation was refused because there is nothing left to cancel."""
    return _NOTHING_TO_CANCEL.search(text) is not None


def is_unknown_order(text: str, *, named: bool = False) -> bool:
    """Whether a look at an order by its id was refused because there is none. `named`: the error has the order's id itself.

    An account that is not found, or a page, says nothing of its orders.
    """
    about_it = named or _OF_AN_ORDER.search(text) is not None
    return about_it and _NOTHING_THERE.search(text) is not None and not is_of_account(text)


def is_of_account(text: str) -> bool:
    """Whether an error is about an account, and not about one of its orders."""
    return _OF_AN_ACCOUNT.search(text) is not None


def errors_in(document: Any) -> tuple[Mapping[str, Any], ...]:
    """The errors of an answer that may be 200 all the same: of a listing, of a placed order, or of the answer as a whole."""
    if not isinstance(document, Mapping):
        return ()
    if document.get("Error"):
        return (document,)
    listed = [*_mappings(document.get("Errors")), *(each for each in _mappings(document.get("Orders")) if each.get("Error"))]
    return tuple(listed)


def text_of(errors: Sequence[Mapping[str, Any]]) -> str:
    """What they say, one after another."""
    return "; ".join(str(error.get("Message") or error.get("Error")) for error in errors)


def read(reply: Reply) -> str:
    """What an error answer says; its body where it is none of TradeStation's."""
    return own_text(reply) or reply.text


def own_text(reply: Reply) -> str:
    """What TradeStation itself says, whatever the status; nothing where the answer is that of something before it."""
    try:
        return reply.hide(text_of(errors_in(reply.json())))
    except BrokerUnavailable:
        return ""


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []

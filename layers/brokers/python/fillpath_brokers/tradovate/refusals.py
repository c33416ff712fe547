"""What Tradovate refuses, in our words: an answer comes in, our reason code with Tradovate's own text goes out.

A refusal of a command is an answer with status 200 that has `failureReason` (with `failureText`), `errorText` or `violations`.
What the risk check or the exchange refuses later shows on the order: it is Rejected, and its reports say why.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.outcomes import RateLimited, Rejected, Unknown
from fillpath_brokers.reasons import Reasons
from fillpath_brokers.sending import not_done
from fillpath_brokers.web import Reply

Document = Mapping[str, Any]

REASONS = {
    "AccountClosed": "account_blocked",
    "AdvancedTrailingStopUnsupported": "unsupported",
    "BackMonthProhibited": "invalid_symbol",
    "ExecutionProviderNotConfigured": "not_entitled",
    "ExecutionProviderUnavailable": "rejected",
    "InvalidContract": "invalid_symbol",
    "InvalidPrice": "invalid_price",
    "KeyInformationDocumentRequired": "not_entitled",
    "LiquidationOnly": "account_blocked",
    "LiquidationOnlyBeforeExpiration": "account_blocked",
    "MaxOrderQtyIsNotSpecified": "position_limit",
    "MaxOrderQtyLimitReached": "position_limit",
    "MaxPosLimitMisconfigured": "position_limit",
    "MaxPosLimitReached": "position_limit",
    "MaxTotalPosLimitReached": "position_limit",
    "MultipleAccountPlanRequired": "not_entitled",
    "NoQuote": "rejected",
    "NotEnoughLiquidity": "rejected",
    "ParentRejected": "rejected",
    "SSFRiskDisclosureAcknowledgmentRequired": "not_entitled",
    "SessionClosed": "market_closed",
    "TooLate": "rejected",
    "TradingLocked": "account_blocked",
    "TrailingStopNonOrderQtyModify": "unsupported",
    "Unauthorized": "not_entitled",
    "Unsupported": "unsupported",
}
"""By `failureReason`, and by the `rejectReason` of reports. What is not here says nothing by itself: its text is looked at."""

# Branching on text: for want of margin there is no reason of its own, and its wording is not documented.
_TEXTS = Reasons(
    (r"margin|insufficient funds|buying power|not enough (funds|money|equity)|net liq", "insufficient_margin"),
    (r"liquidation only|account.*(locked|closed|suspended)|trading.*locked", "account_blocked"),
    (r"maximum|position limit|order quantity.*reached", "position_limit"),
    (r"access is denied|not (entitled|authori[sz]ed|permitted)|permission", "not_entitled"),
    (r"(market|session|exchange).*closed|outside.*hours", "market_closed"),
    (r"(unknown|invalid|no such|expired).*(contract|symbol)|(contract|symbol).*(not found|expired|unknown)", "invalid_symbol"),
    (r"price|tick", "invalid_price"),
    (r"quantity|\bqty\b", "invalid_quantity"),
)
_IN_DOUBT = {"RiskCheckTimeout", "AnotherCommandPending"}
_NO_REASON = "UnknownReason"
_NO_FAILURE = {None, "", "Success"}
AGAIN_S = 1.0


def failure_in(document: Any) -> tuple[str, str] | None:
    """Reason (Tradovate's, may be empty) and text of a refusal; None if the answer is none."""
    if not isinstance(document, Mapping):
        return None
    reason, text = document.get("failureReason"), str(document.get("failureText") or "")
    if reason not in _NO_FAILURE:
        return str(reason), text or str(reason)
    if document.get("errorText"):
        return "", str(document["errorText"])
    if violations := document.get("violations"):
        return "", "; ".join(_violation(each) for each in violations)
    return None


def rejected(reason: str, text: str) -> Rejected:
    """Our refusal for one of Tradovate's."""
    return Rejected(reason_of(reason, text), text or reason)


def reason_of(reason: str, text: str) -> str:
    """Our code for a reason of Tradovate's and the text beside it."""
    return REASONS.get(reason) or _TEXTS.of(text)


def placing_refused(reply: Reply) -> Rejected | Unknown | None:
    """What a placing request came to where it is no order; None: the answer has an order, or says nothing.

    A risk check that took too long may still let the order through. Of a refusal for a reason that says nothing, a look at the
    order tells what it was, if there is one.
    """
    if not reply.ok:
        return _by_status(reply)
    document = reply.json()
    failure = failure_in(document)
    if failure is None:
        return None
    reason, text = failure
    refused = rejected(reason, text)
    nameless = reason not in REASONS and refused.reason == "rejected"
    in_doubt = reason in _IN_DOUBT or (nameless and (reason == _NO_REASON or document.get("orderId") is not None))
    return Unknown(f"Tradovate: {reason} ({text})") if in_doubt else refused


def change_refused(reply: Reply) -> Rejected | RateLimited | Unknown | None:
    """What a request to change an order came to where it was refused; None: it was taken."""
    if not reply.ok:
        return _by_status(reply)
    failure = failure_in(reply.json())
    if failure is None:
        return None
    reason, text = failure
    if reason == "AnotherCommandPending":
        return RateLimited(AGAIN_S, text)
    return Unknown(f"Tradovate: {reason} ({text})") if reason in _IN_DOUBT else rejected(reason, text)


def text_in(reply: Reply) -> str:
    """What an answer says is wrong, for people."""
    try:
        failure = failure_in(reply.json())
    except BrokerUnavailable:
        failure = None
    return reply.hide(failure[1]) if failure else reply.text


def why_rejected(reports: Iterable[Document]) -> Rejected | None:
    """Why an order was rejected, from its command and execution reports: our code and Tradovate's words; None: nobody says."""
    for report in sorted(reports, key=lambda each: int(each.get("id", 0)), reverse=True):
        reason, text = str(report.get("rejectReason") or ""), str(report.get("text") or "")
        if (reason and reason != "Success") or text:
            return rejected(reason, text)
    return None


def _by_status(reply: Reply) -> Rejected | Unknown:
    text = text_in(reply) or f"Tradovate answers {reply.status}"
    return not_done(reply, lambda _: rejected("", text), "Tradovate", text)


def _violation(each: Any) -> str:
    return str(each.get("description") or each.get("constraint") or each) if isinstance(each, Mapping) else str(each)

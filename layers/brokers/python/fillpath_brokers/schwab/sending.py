"""What Schwab's answer to a new or a replacing order says: the answer comes in, the new id or the refusal goes out."""

import logging
import re

from fillpath.orders.outcomes import Rejected
from fillpath_brokers.schwab.refusals import refusal
from fillpath_brokers.web import Reply

_CORRELATION = "Schwab-Client-CorrelID"
_CREATED = 201
_AMBIGUOUS = {408, 425}
_ID = re.compile(r"/orders/(\d+)/?$")
_log = logging.getLogger(__name__)


def not_placed(reply: Reply) -> Rejected | None:
    """The refusal, where the answer is evidence that nothing was placed. Schwab finds a request again by what is logged here."""
    if not reply.ok:
        _log.warning("Schwab answers an order with %s, correlation %s", reply.status, reply.headers.get(_CORRELATION, "unknown"))
    if 400 <= reply.status < 500 and reply.status not in _AMBIGUOUS:
        return refusal(reply)
    return None


def new_id(reply: Reply) -> str | None:
    """The id of the new order, out of its address; None where the answer has no readable one."""
    found = _ID.search(reply.headers.get("Location", "")) if reply.status == _CREATED else None
    return found[1] if found else None

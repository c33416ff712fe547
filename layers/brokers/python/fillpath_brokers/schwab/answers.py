"""What Schwab's answer to a new or a replacing order says: the answer comes in, the new id or an outcome goes out."""

import logging
import re

from fillpath.orders.outcomes import Rejected, Unknown
from fillpath_brokers.schwab.capabilities import NAME
from fillpath_brokers.schwab.refusals import read, refusal
from fillpath_brokers.sending import not_done
from fillpath_brokers.web import Reply

_CORRELATION = "Schwab-Client-CorrelID"
_CREATED = 201
_ID = re.compile(r"/orders/(\d+)/?$")
_log = logging.getLogger(__name__)


def new_id(reply: Reply) -> str | Rejected | Unknown:
    """The id of the new order, out of its address. Schwab finds a request again by what is logged of one that went wrong."""
    if not reply.ok:
        _log.warning("Schwab answers an order with %s, correlation %s", reply.status, reply.headers.get(_CORRELATION, "unknown"))
        return not_done(reply, refusal, NAME, read(reply).text)
    found = _ID.search(reply.headers.get("Location", "")) if reply.status == _CREATED else None
    return found[1] if found else Unknown(f"Schwab answers {reply.status} without the address of the order")

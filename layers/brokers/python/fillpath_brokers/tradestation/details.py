"""What TradeStation says of a symbol: its front month, and whether its prices mean what the catalogue's mean.

Some contracts might be quoted in another unit than at their exchange (cents for dollars). The value of a point shows it: an order
with prices is sent only where it is the catalogue's.
"""

import logging
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable, NeedsReauth, Unsupported
from fillpath.market.instruments import Instrument
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.documents import number, readable
from fillpath_brokers.session import Session
from fillpath_brokers.tradestation.refusals import errors_in, read
from fillpath_brokers.web import part

_log = logging.getLogger(__name__)


class Details:
    """Remembers the value of a point of each symbol it was asked for."""

    def __init__(self, session: Session, url: str) -> None:
        self._session = session
        self._url = f"{url}/v3/marketdata/symbols"
        self._points: dict[str, Decimal] = {}

    def front_month(self, continuous: str) -> str:
        """The contract behind a continuous symbol, as TradeStation spells it; Unsupported, BrokerUnavailable."""
        underlying = self.of(continuous).get("Underlying")
        if not underlying:
            raise BrokerUnavailable(f"TradeStation does not say what is behind {continuous}")
        return str(underlying)

    def of(self, symbol: str) -> dict[str, Any]:
        """Its record; Unsupported if there is no such symbol, BrokerUnavailable."""
        reply = self._session.read(f"{self._url}/{part(symbol)}")
        document = reply.json() if reply.ok else None
        if not isinstance(document, dict):
            raise BrokerUnavailable(f"TradeStation answers {reply.status}: {read(reply)}")
        found = document.get("Symbols") or []
        if found:
            record: dict[str, Any] = found[0]
            return record
        if not errors_in(document):
            raise BrokerUnavailable(f"TradeStation says nothing of {symbol}")
        raise Unsupported(f"TradeStation does not know {symbol}: {read(reply)}")

    def misread(self, symbol: str, instrument: Instrument) -> Rejected | None:
        """Why prices of ours would be misread there. Where nobody answers they count as right."""
        if symbol not in self._points:
            try:
                told = (self.of(symbol).get("PriceFormat") or {}).get("PointValue")
            except Unsupported as exc:
                return Rejected("invalid_symbol", str(exc))
            except (BrokerUnavailable, NeedsReauth) as exc:
                _log.warning("the value of a point of %s could not be read: %s", symbol, exc)
                return None
            with readable("TradeStation's price format"):
                self._points[symbol] = number(told) if told else instrument.multiplier
        point = self._points[symbol]
        if point == instrument.multiplier:
            return None
        text = f"a point of {symbol} is worth {point} at TradeStation, {instrument.multiplier} here: prices would be misread"
        return Rejected("invalid_price", text)

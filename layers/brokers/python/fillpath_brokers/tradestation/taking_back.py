"""Groups of which TradeStation took a part only. In: the leg, what was taken, why the rest was not; out: the outcome.

What was taken is cancelled again, and the refusal counts once all of it is seen to have ended without a fill. Of a bracket the
entry goes first: as long as it has filled, or still may, its exits stay, for they protect what is held. The order is accepted
then, and the exits that were refused are named as gone, so that the order path makes them whole.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from fillpath.clock import Clock
from fillpath.errors import BrokerError, BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Unknown
from fillpath_brokers.documents import readable
from fillpath_brokers.pairs import exits_wanted, pair_view
from fillpath_brokers.sending import ask_each
from fillpath_brokers.tradestation.capabilities import NAME
from fillpath_brokers.tradestation.listing import Listing
from fillpath_brokers.tradestation.refusals import refusal
from fillpath_brokers.tradestation.wire import Document, gone_exit, gone_view, own_view, side_of

_WITHIN_S, _EVERY_S = 1.0, 0.3


class TakingBack:
    """Of one account; `cancel` asks for the cancellation of one order (BrokerUnavailable)."""

    def __init__(self, listing: Listing, cancel: Callable[[str], None], clock: Clock) -> None:
        self._listing = listing
        self._cancel = cancel
        self._clock = clock

    def outcome(self, leg: Leg, taken: Sequence[str], text: str) -> Outcome:
        """What became of the leg; `text` is TradeStation's refusal of the other orders."""
        doubt = Unknown(f"{NAME} took a part only ({', '.join(taken)}): {text}")
        try:
            entry = self._entry(leg, taken) if exits_wanted(leg) else None
            view = self._ended(entry) if entry else None
            if entry and view and (view.filled_quantity or not view.status.ended):
                return Accepted(_kept(leg, view, [each for each in taken if each != entry], text))
            ask_each((each for each in taken if each != entry), self._cancel)
            views = self._seen(taken)
        except BrokerError:  # whatever it is, it is not about the order that was placed
            return doubt
        gone = len(views) == len(taken) and all(each.status.ended and not each.filled_quantity for each in views)
        return refusal(text) if gone else doubt

    def _entry(self, leg: Leg, taken: Sequence[str]) -> str | None:
        """Which of the orders is the entry; None: only exits were taken. It is the one on the leg's own side."""

        def entries(orders: Sequence[Document]) -> list[str]:
            with readable("TradeStation's orders"):
                return [str(order["OrderID"]) for order in orders if side_of(order) is leg.side]

        shown = self._watched(taken, lambda orders: bool(entries(orders)) or len(orders) == len(taken))
        found = entries(shown)
        if not found and len(shown) < len(taken):
            raise BrokerUnavailable(f"{NAME} does not show which of the orders {', '.join(taken)} is the entry")
        return found[0] if found else None

    def _ended(self, entry: str) -> LegView:
        """The entry after its cancellation was asked for; what it is then tells whether that was taken."""
        with suppress(BrokerUnavailable):
            self._cancel(entry)
        views = self._seen([entry])
        if not views:
            raise BrokerUnavailable(f"{NAME} does not show the order {entry} any more")
        return views[0]

    def _seen(self, ids: Sequence[str]) -> list[LegView]:
        """The orders once all of them have ended, or as they are a moment later."""

        def ended(orders: Sequence[Document]) -> bool:
            return len(orders) == len(ids) and all(own_view(order).status.ended for order in orders)

        return [own_view(order) for order in self._watched(ids, ended)]

    def _watched(self, ids: Sequence[str], done: Callable[[Sequence[Document]], bool]) -> list[Document]:
        give_up = self._clock.now() + timedelta(seconds=_WITHIN_S)
        while True:
            over = self._clock.now() >= give_up
            try:
                orders = self._listing.shown(ids)
            except BrokerUnavailable:
                if over:
                    raise
            else:
                if over or done(orders):
                    return orders
            self._clock.sleep(_EVERY_S)


def _kept(leg: Leg, entry: LegView, exits: Sequence[str], text: str) -> LegView:
    """The entry with the exits that were taken, and why the others were not."""
    views = [LegView(LegStatus.WORKING, each) for each in exits]
    if len(exits) < exits_wanted(leg):
        views.append(gone_view(gone_exit(entry.broker_order_id or "")))
    reason = None if entry.status is LegStatus.FILLED else refusal(text).reason
    return replace(entry, exits=pair_view(views, leg.quantity), reason=reason, text=text)

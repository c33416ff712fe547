"""BrokerDesk: the orders' `Desk` over the broker facade, in the same process.

Foreign errors become outcomes or BrokerUnavailable here.
"""

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import BrokerError, BrokerUnavailable, Unsupported
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected, Unknown
from fillpath.orders.ports.desk import AccountRef
from fillpath_brokers import registry
from fillpath_brokers.facade import Broker, OrderRef
from fillpath_brokers.services import Services

Answer = TypeVar("Answer")
OpenAccount = Callable[[str, str, Services], Broker]

_log = logging.getLogger(__name__)


class BrokerDesk:
    """Opens each account's broker once and keeps it. `open_account` takes venue, account id and services."""

    def __init__(self, services: Services, open_account: OpenAccount = registry.open_account) -> None:
        self._services = services
        self._open_account = open_account
        self._brokers: dict[AccountRef, Broker] = {}

    def capabilities(self, account: AccountRef) -> Capabilities:
        """What the account's venue can do."""
        return registry.capabilities(account.venue)

    def positions(self, account: AccountRef, root: str) -> tuple[Position, ...]:
        """Every held contract of the root, without flat ones."""
        held = self._ask(account, lambda broker: broker.positions())
        return tuple(position for position in held if position.root == root and position.quantity)

    def precheck(self, account: AccountRef, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether the leg would be refused now, once `after_closing` (signed) of the root is closed."""
        return self._ask(account, lambda broker: broker.precheck(leg, after_closing))

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """Send it once. Never raises: what is not understood is Unknown."""
        try:
            return self._broker(account).submit(leg)
        except Unsupported as exc:
            return Rejected("unsupported", str(exc))
        except Exception as exc:  # noqa: BLE001  the boundary to the venues: whatever went wrong, the order may be there
            _log.exception("submit at %s ended without a readable answer: %s", account.venue, leg.client_order_id)
            return Unknown(f"{account.venue}: {type(exc).__name__}")

    def look_up(self, account: AccountRef, leg: Leg) -> LegView | None:
        """The leg as the broker shows it; None: the broker shows no such order."""
        return self._ask(account, lambda broker: broker.order(_ref(leg)))

    def cancel(self, account: AccountRef, leg: Leg) -> None:
        """Ask for the cancellation."""
        self._ask(account, lambda broker: broker.cancel(_ref(leg)))

    def close(self) -> None:
        """Close every account that was opened."""
        while self._brokers:
            self._brokers.popitem()[1].close()

    def _ask(self, account: AccountRef, question: Callable[[Broker], Answer]) -> Answer:
        try:
            return question(self._broker(account))
        except BrokerError:
            raise
        except Exception as exc:  # the boundary to the venues: a read that failed says nothing about orders
            raise BrokerUnavailable(f"{account.venue}: {type(exc).__name__}") from exc

    def _broker(self, account: AccountRef) -> Broker:
        if account not in self._brokers:
            self._brokers[account] = self._open_account(account.venue, account.account_id, self._services)
        return self._brokers[account]


def _ref(leg: Leg) -> OrderRef:
    return OrderRef(leg.client_order_id, leg.broker_order_id)

"""How the paper venue names its orders and shows them: a pair as one, an entry with its exits.

An order is known by the client order id it came with; the exits of an entry are `ID~exits`, the stop of a pair has `~stop` added.
The exchange's own ids are these with `PAPER-` before them.
"""

from collections.abc import Callable
from dataclasses import replace

from fillpath.orders.outcomes import LegView
from fillpath_brokers.exchange.links import OTHER_FILLED
from fillpath_brokers.exchange.orders import ExchangeOrder, Fill
from fillpath_brokers.exchange.placing import Role
from fillpath_brokers.facade import BrokerOrder, Execution, OrderRef
from fillpath_brokers.pairs import ids_of, pair_view

Find = Callable[[str], ExchangeOrder | None]

_PREFIX, _EXITS, _STOP = "PAPER-", "~exits", "~stop"


def order_id(client_order_id: str, role: Role, *, bracket: bool) -> str:
    """The id under which an order of that leg is kept; `bracket`: whether the leg is an entry with exits."""
    named = f"{client_order_id}{_EXITS}" if bracket and role is not Role.ITSELF else client_order_id
    return f"{named}{_STOP}" if role is Role.STOP_OF_PAIR else named


def broker_order_id(order_id: str) -> str:
    """The exchange's own id of the order."""
    return f"{_PREFIX}{order_id}"


def order_id_of(ref: OrderRef) -> str:
    """The id under which the order is kept that a caller means; of a pair, that of its limit."""
    named = ids_of(ref.broker_order_id)[0] if ref.broker_order_id else ref.client_order_id
    return named.removeprefix(_PREFIX)


def view_of(order: ExchangeOrder, find: Find) -> LegView:
    """The order as callers see it; `find` finds the orders that it is linked with."""
    other = find(order.other) if order.other else None
    view = _single(order)
    if other:
        view = pair_view([view, _single(other)], order.quantity + other.filled_quantity)
    exits = find(order.exits) if order.exits else None
    return replace(view, exits=view_of(exits, find)) if exits else view


def listed(order: ExchangeOrder) -> BrokerOrder:
    """A working order as it is listed. Exits and the stop of a pair have no client order id: the client gave them none."""
    ours = order.parent is None and not order.order_id.endswith(_STOP)
    return BrokerOrder(
        client_order_id=order.order_id if ours else "",
        contract=order.contract,
        side=order.side,
        quantity=order.quantity,
        type=order.type,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        reduce_only=order.reduce_only,
        view=_single(order),
    )


def execution(fill: Fill) -> Execution:
    """A fill as it is told."""
    return Execution(
        execution_id=f"{fill.order_id}#{fill.n}",
        broker_order_id=broker_order_id(fill.order_id),
        contract=fill.contract,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        at=fill.at,
    )


def _single(order: ExchangeOrder) -> LegView:
    return LegView(
        status=order.status,
        broker_order_id=broker_order_id(order.order_id),
        filled_quantity=order.filled_quantity,
        average_price=order.average_price,
        commission=order.commission,
        filled_at=order.filled_at,
        reason=None if order.reason == OTHER_FILLED else order.reason,
        open_quantity=order.remaining,
    )

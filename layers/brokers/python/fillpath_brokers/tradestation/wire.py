"""TradeStation's wire form of orders: legs of ours go in as request bodies, its order objects come out as views.

Numbers are JSON strings. What is filled, and whether an order is full, is read from the quantities of its leg, never from the
name of its status; a status that ends an order counts once nothing remains or the order has a closing time:

=================================  ====================================================================================
TradeStation                       ours
=================================  ====================================================================================
PLA OPN DIS ACK DON OSO CND STP    WORKING (PARTIALLY_FILLED with fills); STP has a closing time though the order goes on
STT CHG SUS OTHER ASS EXE COR      the same
UCN RPD RSN ECN LAT RJC REC        the same: a change or cancellation is under way, or was refused
FPR                                PARTIALLY_FILLED
FLL                                FILLED once the quantities say so, until then as above
BRF                                FILLED if the quantities say so, else CANCELLED
OUT CAN BRC SCN DOA FLP            CANCELLED
UCH                                WORKING while anything remains (a changed order keeps its id), else CANCELLED
EXP                                EXPIRED
REJ TSC                            REJECTED at once; CANCELLED with fills
BRO RJR                            REJECTED once closed (RJR: until then only a change was refused); CANCELLED with fills
=================================  ====================================================================================

What is not in the table counts as WORKING: it is looked at again.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import LegView
from fillpath_brokers.documents import amount, filled_part, moment_or_none, number_or_none, plain, readable
from fillpath_brokers.facade import BrokerOrder, Change, Execution
from fillpath_brokers.pairs import pair_view
from fillpath_brokers.tradestation.refusals import reason_of
from fillpath_brokers.tradestation.symbols import shown

Document = Mapping[str, Any]

_CANCELLED, _EXPIRED, _REJECTED = LegStatus.CANCELLED, LegStatus.EXPIRED, LegStatus.REJECTED
_ENDS = {
    **dict.fromkeys(("OUT", "CAN", "BRC", "BRF", "UCH", "SCN", "DOA", "FLP"), _CANCELLED),
    "EXP": _EXPIRED,
    **dict.fromkeys(("REJ", "TSC", "BRO", "RJR"), _REJECTED),
}
_ENDS_AT_ONCE = {"REJ", "TSC"}
_ENDING = "UCN"
_GONE = ":gone"
_MAY_GO_ON = {"UCH"}
_TYPES = {
    OrderType.MARKET: "Market",
    OrderType.LIMIT: "Limit",
    OrderType.STOP: "StopMarket",
    OrderType.STOP_LIMIT: "StopLimit",
    OrderType.TRAILING_STOP: "StopMarket",
}
_OURS = {name.lower(): type_ for type_, name in _TYPES.items() if type_ is not OrderType.TRAILING_STOP}
_DURATIONS = {"day": "DAY", "gtc": "GTC", "ioc": "IOC", "fok": "FOK"}
_EXTENDED = {"DAY": "DYP", "GTC": "GCP"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What an account's orders have in common; `kind` is that of the instrument (future, equity)."""

    account: str
    symbol: str
    kind: str
    route: str
    extended_hours: bool = False
    confirm_ids: bool = True


def order_body(leg: Leg, terms: Terms) -> dict[str, Any]:
    """The request that places one order, with the exits that are to follow its fill."""
    body = _order(leg, terms, _action(terms.kind, leg.side, reduces=leg.reduce_only))
    exits = exits_of(leg)
    if exits:
        orders = [_order(each, terms, _action(terms.kind, each.side, reduces=True)) for each in exits]
        body["OSOs"] = [{"Type": "BRK" if len(orders) > 1 else "NORMAL", "Orders": orders}]
    return body


def group_body(leg: Leg, terms: Terms) -> dict[str, Any]:
    """The request that places an exit pair: what fills of one is taken off the other."""
    action = _action(terms.kind, leg.side, reduces=True)
    return {"Type": "BRK", "Orders": [_order(each, terms, action) for each in _halves(leg)]}


def exits_of(leg: Leg) -> list[Leg]:
    """The exits of a bracket, as legs. Only an entry for the day has exits for the day."""
    pair = leg.model_copy(
        update={
            "side": leg.side.opposite,
            "limit_price": leg.take_profit,
            "stop_price": leg.stop_loss,
            "time_in_force": "day" if leg.time_in_force == "day" else "gtc",
        }
    )
    return _halves(pair)


def closing_body(held: Decimal, terms: Terms) -> dict[str, Any]:
    """The request that closes what is held (signed) at the market."""
    return {
        "AccountID": terms.account,
        "Symbol": terms.symbol,
        "Quantity": plain(abs(held)),
        "OrderType": "Market",
        "TradeAction": _action(terms.kind, Side.of(-held), reduces=True),
        "TimeInForce": {"Duration": "DAY"},
        "Route": terms.route,
    }


def change_bodies(change: Change, orders: Iterable[Document]) -> list[tuple[str, dict[str, str]]]:
    """Order id and request for each order that a change concerns: of a pair a limit price is one's, a stop price the other's."""
    found = []
    for order in orders:
        kind = type_of(order)
        body = {"Quantity": change.quantity}
        if kind in {OrderType.LIMIT, OrderType.STOP_LIMIT}:
            body["LimitPrice"] = change.limit_price
        if kind in {OrderType.STOP, OrderType.STOP_LIMIT}:
            body["StopPrice"] = change.stop_price
        known = {name: plain(value) for name, value in body.items() if value is not None}
        if known:
            found.append((str(order["OrderID"]), known))
    return found


def in_order(ids: Iterable[str]) -> tuple[str, ...]:
    """Order ids by their numbers, so that a pair is always called the same."""
    return tuple(sorted(ids, key=lambda each: (len(each), each)))


def confirm_id(client_order_id: str) -> str:
    """22 characters out of our id: the guard against a second order of the same id."""
    return base64.urlsafe_b64encode(hashlib.sha256(client_order_id.encode()).digest())[:22].decode()


def own_view(order: Document) -> LegView:
    """One order as TradeStation shows it, whatever belongs to it left out; BrokerUnavailable if it cannot be read."""
    with readable("TradeStation's order"):
        filled = filled_part(filled_of(order), ordered_of(order))
        status = _status(order, filled)
        return LegView(
            status=status,
            broker_order_id=str(order["OrderID"]),
            filled_quantity=filled,
            average_price=_average_price(order) if filled else None,
            commission=number_or_none(order.get("CommissionFee")) or Decimal(0),
            filled_at=moment_or_none(order.get("ClosedDateTime")) if filled else None,
            reason=reason_of(str(order.get("RejectReason") or "")) if status is _REJECTED else None,
            text=order.get("RejectReason") if status is _REJECTED else None,
            open_quantity=ordered_of(order) - filled,
        )


def gone_exit(entry_id: str) -> str:
    """The name of an exit that TradeStation refused or has no more, so that whoever watches the exits finds it ended."""
    return f"{entry_id}{_GONE}"


def is_gone(name: str) -> bool:
    """Whether it is the name of such an exit."""
    return name.endswith(_GONE)


def gone_view(name: str) -> LegView:
    """An exit that is not there, under its name."""
    return LegView(_CANCELLED, name)


def entry_view(entry: Document, exits: Sequence[LegView]) -> LegView:
    """A bracket's entry with its exits, which work for as long as the entry does."""
    view = own_view(entry)
    pair = pair_view(exits, ordered_of(entry))
    if pair.status.ended and not view.status.ended:
        pair = replace(pair, status=LegStatus.PARTIALLY_FILLED if pair.filled_quantity else LegStatus.WORKING)
    return replace(view, exits=pair)


def exits_view(exits: Iterable[Document], quantity: Decimal | None = None, gone: Iterable[str] = ()) -> LegView:
    """An exit pair (or what there is of it) as one; `quantity` is what it exits, `gone` names exits that are not there."""
    orders = list(exits)
    views = [*(own_view(each) for each in orders), *(gone_view(each) for each in gone)]
    return pair_view(views, quantity or max((ordered_of(each) for each in orders), default=Decimal(0)))


def is_over(order: Document) -> bool:
    """Whether it has ended, or its cancellation is under way already."""
    return str(order.get("Status")) == _ENDING or own_view(order).status.ended


def working_order(order: Document, contract: str) -> BrokerOrder:
    """An order of the listing."""
    return BrokerOrder(
        client_order_id="",
        contract=contract,
        side=side_of(order),
        quantity=ordered_of(order),
        type=type_of(order) or OrderType.MARKET,
        limit_price=limit_price_of(order),
        stop_price=stop_price_of(order),
        reduce_only=False,
        view=own_view(order),
    )


def execution(order: Document, since: datetime) -> Execution:
    """What is filled of an order as one fill; of one that still works at `since` at the earliest, since nobody tells when."""
    filled, view = filled_of(order), own_view(order)
    opened = moment_or_none(order.get("OpenedDateTime")) or since
    return Execution(
        execution_id=f"{order['OrderID']}-{plain(filled)}",
        broker_order_id=str(order["OrderID"]),
        contract=shown(symbol_of(order)),
        side=side_of(order),
        quantity=filled,
        price=view.average_price or Decimal(0),
        at=moment_or_none(order.get("ClosedDateTime")) or max(opened, since),
    )


def related(order: Document, *kinds: str) -> tuple[str, ...]:
    """The ids of the orders that are linked with this one: OSO its children, OSP its parent, BRK and OCO its siblings."""
    links = order.get("ConditionalOrders") or ()
    return tuple(str(link["OrderID"]) for link in links if str(link.get("Relationship")).upper() in kinds)


def symbol_of(order: Document) -> str:
    """TradeStation's symbol of an order, in upper case."""
    return str(_leg(order)["Symbol"]).upper()


def side_of(order: Document) -> Side:
    """Its side, whatever it opens or closes."""
    return Side.BUY if str(_leg(order)["BuyOrSell"]).lower().startswith("buy") else Side.SELL


def type_of(order: Document) -> OrderType | None:
    """Its type; None for one that we have none for."""
    kind = _OURS.get(str(order["OrderType"]).lower())
    return OrderType.TRAILING_STOP if kind is OrderType.STOP and order.get("TrailingStop") else kind


def ordered_of(order: Document) -> Decimal:
    """The quantity that was ordered."""
    return amount(_leg(order)["QuantityOrdered"])


def filled_of(order: Document) -> Decimal:
    """The quantity that is filled."""
    return number_or_none(_leg(order).get("ExecQuantity")) or Decimal(0)


def limit_price_of(order: Document) -> Decimal | None:
    """Its limit price; TradeStation's 0 means none."""
    return number_or_none(order.get("LimitPrice")) or None


def stop_price_of(order: Document) -> Decimal | None:
    """Its stop price; TradeStation's 0 means none."""
    return number_or_none(order.get("StopPrice")) or None


def trail_of(order: Document) -> tuple[Decimal | None, Decimal | None]:
    """Amount and percent of a trailing stop."""
    trail = order.get("TrailingStop") or {}
    return number_or_none(trail.get("Amount")) or None, number_or_none(trail.get("Percent")) or None


def _order(leg: Leg, terms: Terms, action: str) -> dict[str, Any]:
    duration = _DURATIONS[leg.time_in_force]
    if terms.extended_hours and terms.kind == "equity" and leg.type is OrderType.LIMIT:
        duration = _EXTENDED.get(duration, duration)
    body: dict[str, Any] = {
        "AccountID": terms.account,
        "Symbol": terms.symbol,
        "Quantity": plain(leg.quantity),
        "OrderType": _TYPES[leg.type],
        "TradeAction": action,
        "TimeInForce": {"Duration": duration},
        "Route": terms.route,
    }
    if terms.confirm_ids:
        body["OrderConfirmID"] = confirm_id(leg.client_order_id)
    prices = {"LimitPrice": leg.limit_price, "StopPrice": leg.stop_price}
    body |= {name: plain(price) for name, price in prices.items() if price is not None}
    trail = {"Amount": leg.trail_amount, "Percent": leg.trail_percent}
    known = {name: plain(value) for name, value in trail.items() if value is not None}
    return body | ({"AdvancedOptions": {"TrailingStop": known}} if known else {})


def _action(kind: str, side: Side, *, reduces: bool) -> str:
    """Futures know two actions; of shares TradeStation wants to be told what opens or closes a short."""
    if kind != "equity":
        return side.value.upper()
    if side is Side.BUY:
        return "BUYTOCOVER" if reduces else "BUY"
    return "SELL" if reduces else "SELLSHORT"


def _halves(pair: Leg) -> list[Leg]:
    halves = []
    for name, type_ in (("limit_price", OrderType.LIMIT), ("stop_price", OrderType.STOP)):
        price = getattr(pair, name)
        if price is not None:
            only = {"limit_price": None, "stop_price": None, "trail_amount": None, "trail_percent": None, name: price}
            ident = f"{pair.client_order_id}/{type_}"
            halves.append(pair.model_copy(update={"type": type_, "client_order_id": ident, **only}))
    return halves


def _status(order: Document, filled: Decimal) -> LegStatus:
    ordered = ordered_of(order)
    if filled >= ordered > 0:
        return LegStatus.FILLED
    code = str(order["Status"])
    end = _ENDS.get(code)
    if end is None or not (code in _ENDS_AT_ONCE or _is_over(order, code, ordered, filled)):
        return LegStatus.PARTIALLY_FILLED if filled else LegStatus.WORKING
    return _CANCELLED if end is _REJECTED and filled else end


def _is_over(order: Document, code: str, ordered: Decimal, filled: Decimal) -> bool:
    remaining = number_or_none(_leg(order).get("QuantityRemaining"))
    nothing_left = (ordered - filled if remaining is None else remaining) <= 0
    return nothing_left or (bool(order.get("ClosedDateTime")) and code not in _MAY_GO_ON)


def _average_price(order: Document) -> Decimal | None:
    return number_or_none(order.get("FilledPrice")) or number_or_none(_leg(order).get("ExecutionPrice"))


def _leg(order: Document) -> Document:
    """Ours have one leg; of somebody's spread the first stands for it."""
    leg: Document = order["Legs"][0]
    return leg

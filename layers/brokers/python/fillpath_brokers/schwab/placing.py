"""Placing, changing and cancelling at Schwab. In: legs, references, changes; out: outcomes. Each order is sent once."""

from typing import NamedTuple

from fillpath.errors import BrokerError, BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Rejected, Unknown
from fillpath_brokers.facade import Change, OrderRef
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.pairs import exits_wanted, ids_of
from fillpath_brokers.prechecks import not_whole
from fillpath_brokers.schwab.answers import new_id
from fillpath_brokers.schwab.bodies import body_of, closing_body
from fillpath_brokers.schwab.book import OrderBook
from fillpath_brokers.schwab.capabilities import NAME
from fillpath_brokers.schwab.holdings import Holdings
from fillpath_brokers.schwab.look_up import THEN, LookUp
from fillpath_brokers.schwab.refusals import read
from fillpath_brokers.schwab.replacing import Replacing
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.schwab.wire import is_ending, order_id
from fillpath_brokers.sending import ask_each, before_sending, send_once
from fillpath_brokers.session import Session
from fillpath_brokers.web import SUBMIT_S, Reply, Request, part

_MOST_CANCELS = 3
"""Of an order that is being replaced while it is cancelled."""


class Tools(NamedTuple):
    """What all of an account's doings work with."""

    session: Session
    trader: Trader
    look_up: LookUp
    book: OrderBook
    holdings: Holdings
    hours: MarketHours
    settings: Settings


class Placing:
    """One account's orders, as far as they are made and changed."""

    def __init__(self, tools: Tools) -> None:
        self._session, self._trader, self._look_up, self._book = tools.session, tools.trader, tools.look_up, tools.book
        self._holdings, self._hours, self._settings = tools.holdings, tools.hours, tools.settings
        self._replacing = Replacing(tools.session, tools.settings, tools.trader, tools.look_up)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg: one request, whose answer is the address of the new order and nothing else."""
        body = body_of(leg, self._settings)
        if refused := not_whole(leg, NAME):
            return refused
        url = self._trader.url_to_send_to("/orders")
        request = Request("POST", url, json=body, timeout_s=SUBMIT_S, urgent=leg.reduce_only)
        return self._hours.explained(send_once(self._session, request, lambda reply: self._placed(reply, leg)), leg.contract)

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Put another order in the place of a working one; it goes on under a new id."""
        with before_sending():
            name = self._book.name(ref)
        if name is None:
            return Rejected("not_found", f"{NAME} shows no order {ref.broker_order_id or ref.client_order_id}")
        return self._replacing.replace(name, change, ref.leg)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both. What has ended stays as it is."""
        name = self._book.name(ref)
        ask_each(ids_of(name) if name else (), self._cancel)

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order, one by one."""
        ask_each((order.view.broker_order_id or "" for order in self._book.orders()), self._cancel)

    def liquidate(self, contract: str) -> None:
        """Close the position at the market, also of a share outside the catalogue; nothing happens where nothing is held."""
        held = self._holdings.held(contract)
        if held is None:
            return
        body, url = closing_body(*held), self._trader.url_to_send_to("/orders")
        reply = self._session.send(Request("POST", url, json=body, timeout_s=SUBMIT_S, urgent=True))
        if not reply.ok:
            raise BrokerUnavailable(f"{NAME} answers the closing of {contract} with {reply.status}: {read(reply).text}")

    def _placed(self, reply: Reply, leg: Leg) -> Outcome:
        placed = new_id(reply)
        if not isinstance(placed, str):
            return placed
        self._look_up.belongs(placed, leg)
        if leg.type is not OrderType.OCO and not exits_wanted(leg):
            return Accepted(LegView(LegStatus.WORKING, placed))
        return self._with_exits(placed, leg)

    def _with_exits(self, placed: str, leg: Leg) -> Outcome:
        """A group's orders have ids of their own, which only a look at it tells."""
        try:
            order = self._trader.order(placed)
            shown = None if order is None else self._look_up.shown(order, leg)
        except BrokerError as exc:  # whatever it is, it is not about the order that was placed
            return Unknown(f"{NAME} took it as order {placed}, but its exits could not be read: {exc}")
        return Accepted(shown) if shown else Unknown(f"{NAME} took it as order {placed}, but does not show it yet")

    def _cancel(self, name: str) -> None:
        newest = name.rpartition(THEN)[2]
        for _ in range(_MOST_CANCELS):
            request = Request("DELETE", self._trader.url(f"/orders/{part(newest)}"), urgent=True)
            reply = self._session.send(request)
            found = None if reply.ok else self._look_up.single(name)
            if found is None or found.view.status.ended or is_ending(found.order):
                return
            if reply.status >= 500 or order_id(found.order) == newest:
                raise BrokerUnavailable(f"{NAME} answers the cancellation of {newest} with {reply.status}: {read(reply).text}")
            newest = order_id(found.order)
        raise BrokerUnavailable(f"order {name} is replaced again and again while it is cancelled")

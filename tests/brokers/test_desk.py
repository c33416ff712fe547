import logging
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable, NeedsReauth, Unsupported
from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, RateLimited, Rejected, Unknown
from fillpath.orders.ports.desk import AccountRef, Desk
from fillpath_brokers.desk import BrokerDesk
from fillpath_brokers.facade import Balances, BrokerOrder, OrderRef
from fillpath_brokers.paper.capabilities import CAPABILITIES
from tests.brokers.paper.exchange import PaperExchange, leg

ACCOUNT = AccountRef("01PAPER", "paper")


class ScriptedBroker:
    """A broker that answers what it is told, or raises it."""

    key, name, capabilities = "scripted", "Scripted", CAPABILITIES

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[object] = []
        self.closed = False

    def _say(self, *asked: object) -> Any:
        self.asked += asked
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def supports(self, symbol: str) -> bool:
        return True

    def contract(self, symbol: str) -> Any:
        return self._say(symbol)

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        return self._say(leg, after_closing)

    def submit(self, leg: Leg) -> Outcome:
        return self._say(leg)

    def cancel(self, ref: OrderRef) -> None:
        self._say(ref)

    def order(self, ref: OrderRef) -> LegView | None:
        return self._say(ref)

    def orders(self) -> tuple[BrokerOrder, ...]:
        return self._say()

    def positions(self) -> tuple[Position, ...]:
        return self._say()

    def balances(self) -> Balances:
        return self._say()

    def close(self) -> None:
        self.closed = True


def desk_of(answer: Any) -> tuple[BrokerDesk, ScriptedBroker]:
    broker = ScriptedBroker(answer)
    return BrokerDesk(PaperExchange().services, lambda *_: broker), broker


def test_it_is_the_desk_that_the_use_cases_need_over_the_paper_venue() -> None:
    desk: Desk = BrokerDesk(PaperExchange().services)
    buy, sell = leg("buy", "2"), leg("sell", "1", limit="5990")

    assert desk.capabilities(ACCOUNT) is CAPABILITIES
    assert desk.precheck(ACCOUNT, buy, Decimal(0)) is None
    assert isinstance(desk.submit(ACCOUNT, buy), Accepted)
    assert isinstance(desk.submit(ACCOUNT, sell), Accepted)
    desk.cancel(ACCOUNT, sell)

    views = [desk.look_up(ACCOUNT, sent) for sent in (buy, sell, leg("buy", "1"))]
    assert [view and view.status for view in views] == [LegStatus.FILLED, LegStatus.CANCELLED, None]
    assert desk.positions(ACCOUNT, "ES") == (Position("ESH6", "ES", Decimal(2), Decimal(5900)),)


def test_an_unexpected_error_of_a_submit_is_unknown_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    desk, _ = desk_of(ValueError("half an answer"))
    sent = leg("buy", "1")

    with caplog.at_level(logging.ERROR):
        assert desk.submit(ACCOUNT, sent) == Unknown("paper: ValueError")

    (record,) = caplog.records
    assert sent.client_order_id in record.getMessage()
    assert record.exc_info


def test_an_unsupported_submit_was_not_placed() -> None:
    desk, _ = desk_of(Unsupported("no trailing stops here"))

    assert desk.submit(ACCOUNT, leg("buy", "1")) == Rejected("unsupported", "no trailing stops here")


def test_what_reduces_waits_for_a_person_to_sign_in_and_an_entry_does_not() -> None:
    desk, _ = desk_of(NeedsReauth("the keys were refused"))

    assert desk.submit(ACCOUNT, leg("buy", "1")) == Rejected("needs_reauth", "the keys were refused")
    assert desk.submit(ACCOUNT, leg("sell", "1", reduce_only=True)) == RateLimited(30.0, "the keys were refused", "needs_reauth")


def test_what_the_venue_does_not_declare_is_not_sent() -> None:
    desk, broker = desk_of(Unsupported("never asked"))

    outcome = desk.submit(ACCOUNT, leg("buy", "1", limit="5890", tif="gtd"))

    assert outcome == Rejected("unsupported", "time_in_force: paper has no gtd; it has day, fok, gtc, ioc")
    assert broker.asked == []


def test_an_order_of_an_account_that_was_removed_is_refused() -> None:
    desk = BrokerDesk(PaperExchange().services)

    outcome = desk.submit(AccountRef("01GONE", "alpaca"), leg("buy", "1", "AAPL"))

    assert isinstance(outcome, Rejected)
    assert outcome.reason == "account_removed"


def test_an_account_at_an_unknown_venue_is_refused() -> None:
    desk = BrokerDesk(PaperExchange().services)
    nowhere = AccountRef("01X", "nowhere")

    for sent in (leg("buy", "1"), leg("buy", "1", reduce_only=True)):
        outcome = desk.submit(nowhere, sent)
        assert isinstance(outcome, Rejected)
        assert (outcome.reason, outcome.text.partition(";")[0]) == ("unsupported", "there is no venue 'nowhere'")
    with pytest.raises(Unsupported):
        desk.capabilities(nowhere)


def test_the_end_of_the_process_is_not_caught() -> None:
    desk, _ = desk_of(SystemExit(1))

    with pytest.raises(SystemExit):
        desk.submit(ACCOUNT, leg("buy", "1"))


def test_reads_that_fail_say_that_the_broker_is_unavailable() -> None:
    desk, _ = desk_of(ConnectionError("gone"))

    for ask in (
        lambda: desk.positions(ACCOUNT, "ES"),
        lambda: desk.precheck(ACCOUNT, leg("buy", "1"), Decimal(0)),
        lambda: desk.look_up(ACCOUNT, leg("buy", "1")),
        lambda: desk.cancel(ACCOUNT, leg("buy", "1")),
    ):
        with pytest.raises(BrokerUnavailable, match="paper: ConnectionError"):
            ask()


def test_positions_are_those_of_the_root_and_not_flat() -> None:
    held = (
        Position("ESH6", "ES", Decimal(1)),
        Position("ESM6", "ES", Decimal(0)),
        Position("MESH6", "MES", Decimal(3)),
        Position("ESU6", "ES", Decimal(-1)),
    )
    desk, _ = desk_of(held)

    assert desk.positions(ACCOUNT, "ES") == (held[0], held[3])


def test_an_order_is_asked_for_by_both_ids() -> None:
    desk, broker = desk_of(None)
    sent = leg("buy", "1").model_copy(update={"broker_order_id": "B-7"})

    assert desk.look_up(ACCOUNT, sent) is None
    desk.cancel(ACCOUNT, sent)

    assert broker.asked == [OrderRef(sent.client_order_id, "B-7", sent)] * 2


def test_each_account_is_opened_once_and_closed_with_the_desk() -> None:
    opened: list[tuple[str, ScriptedBroker]] = []

    def open_account(venue: str, account_id: str, services: object) -> ScriptedBroker:
        opened.append((account_id, ScriptedBroker(())))
        return opened[-1][1]

    desk = BrokerDesk(PaperExchange().services, open_account)
    for account_id in ("01A", "01B", "01A"):
        desk.positions(AccountRef(account_id, "paper"), "ES")
    desk.close()

    assert [account_id for account_id, _ in opened] == ["01A", "01B"]
    assert all(broker.closed for _, broker in opened)

"""Every sample of events/brokers/tradovate is read by the code it is for, and is what Tradovate's schema says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable, NeedsReauth
from fillpath.market.bars import Interval
from fillpath_brokers.streaming.protocol import GiveUp, Reconnect
from fillpath_brokers.tradovate.frames import Message, error_in
from fillpath_brokers.tradovate.history import read_bar
from fillpath_brokers.tradovate.look_up import placed_by
from fillpath_brokers.tradovate.penalty import penalty_in
from fillpath_brokers.tradovate.precheck import amount
from fillpath_brokers.tradovate.reading import live
from fillpath_brokers.tradovate.refusals import failure_in, why_rejected
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.sign_in import _token, chosen
from fillpath_brokers.tradovate.stream_protocol import _shutdown
from fillpath_brokers.tradovate.wire import fees_in, filled_quantity, newest, view_of, working_order
from tests.brokers.tradovate.house import EVENTS, sample
from tests.simulators.tradovate.schemas import SCHEMAS

NAMES = sorted(file.stem for file in EVENTS.glob("*.json"))
NOW = datetime(2026, 11, 25, 15, 4, tzinfo=UTC)


def an_order(document: Any) -> object:
    if document["ordStatus"] == "Unknown":
        with pytest.raises(BrokerUnavailable):
            view_of(document, [], Decimal(1))
        return True
    return view_of(document, [], Decimal(1))


def a_version(document: Any) -> object:
    order = sample("order_working")
    return working_order(order, document, view_of(order, [], Decimal(3)), "ESZ6", "").quantity


def a_token(document: Any) -> object:
    if failure_in(document):
        return True
    if "accessToken" not in document:
        with pytest.raises(NeedsReauth):
            _token(document, {})
        return True
    return _token(document, {}).expires_at


def a_chart(document: Any) -> object:
    [chart] = document["charts"]
    bars = [read_bar(row, "ESZ6", Settings.of({}), Interval.MINUTE, NOW) for row in chart.get("bars", ())]
    return bars or chart["eoh"]


READERS: dict[str, tuple[Callable[[Any], object], str | None]] = {
    "accounts": (lambda each: chosen(each, None), "AccountList"),
    "cash_snapshot": (lambda each: amount(each, "netLiq"), "CashBalanceSnapshot"),
    "chart_subscription": (lambda each: each["realtimeId"], "ChartSubscription"),
    "chart": (a_chart, None),
    "command_report_risk_passed": (lambda each: why_rejected([each]) is None, "CommandReport"),
    "command_report": (lambda each: why_rejected([each]), "CommandReport"),
    "command_taken": (lambda each: failure_in(each) is None, "CommandResult"),
    "commands": (placed_by, "CommandList"),
    "contract_maturities": (lambda each: [one for one in each if one["isFront"]], "ContractMaturityList"),
    "contracts": (lambda each: [one["name"] for one in each], "ContractList"),
    "contract": (lambda each: each["name"], "Contract"),
    "execution_report": (lambda each: why_rejected([each]), "ExecutionReport"),
    "fill_fees": (fees_in, "FillFeeList"),
    "fills": (filled_quantity, "FillList"),
    "no_market_data": (lambda each: Settings.of({}).is_without_data(error_in(Message(s=200, d=each)) or ""), None),
    "order": (an_order, "Order"),
    "penalty": (penalty_in, "Penalty"),
    "placed_oco": (lambda each: failure_in(each) is None, "PlaceOcoResult"),
    "placed_oso": (lambda each: failure_in(each) is None, "PlaceOsoResult"),
    "placed": (lambda each: failure_in(each) is None, "PlaceOrderResult"),
    "positions": (lambda each: [one for one in each if one["netPos"]], "PositionList"),
    "quote": (lambda each: each["quotes"], None),
    "refused_error_text": (failure_in, None),
    "refused_violations": (failure_in, None),
    "refused": (failure_in, "PlaceOrderResult"),
    "shutdown_quota": (lambda each: isinstance(_shutdown(each), GiveUp), None),
    "shutdown": (lambda each: isinstance(_shutdown(each), Reconnect), None),
    "token": (a_token, "AccessTokenResponse"),
    "versions": (newest, "OrderVersionList"),
    "version": (a_version, "OrderVersion"),
}


def reader_of(name: str) -> str:
    """The longest of the readers' names that the sample's begins with."""
    return max((each for each in READERS if name == each or name.startswith(f"{each}_")), key=len)


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_read_and_is_as_tradovate_sends_it(name: str) -> None:
    read, definition = READERS[reader_of(name)]
    assert read(sample(name))
    if definition is not None:
        SCHEMAS.check(definition, json.loads((EVENTS / f"{name}.json").read_text()))


def test_every_reader_has_a_sample() -> None:
    assert {reader_of(name) for name in NAMES} == set(READERS)


def test_what_works_is_told_from_what_has_ended() -> None:
    orders = [sample(name) for name in NAMES if name.startswith("order_") and name != "order_of_pair"]
    assert {each["ordStatus"] for each in live(orders)} == {
        "PendingNew",
        "Working",
        "Suspended",
        "PendingCancel",
        "PendingReplace",
    }

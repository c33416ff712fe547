"""What a Schwab account works on, holds and could pay."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.orders.model import Side
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.facade import Feed
from tests.brokers.schwab.site import HASH, Bench, answers, created, dumped, leg, listing, sample

PLACE = f"POST /accounts/{HASH}/orders"


def test_working_orders_are_listed_with_exits_that_wait() -> None:
    at = Bench({f"GET /accounts/{HASH}/orders": listing("bracket_working", "order_filled", "oco_working", "order_replaced")})
    shown = at.broker.orders()
    assert [each.view.broker_order_id for each in shown] == [
        "1002881234010",
        "1002881234012",
        "1002881234013",
        "1002881234021",
        "1002881234022",
    ]
    assert [each.reduce_only for each in shown] == [False, True, True, True, True]
    assert shown[2].stop_price == 220


def test_everything_that_works_is_cancelled() -> None:
    at = Bench(
        {
            f"GET /accounts/{HASH}/orders": listing("order_working", "order_filled"),
            "DELETE /orders/1002881234001": httpx.Response(200),
        }
    )
    at.broker.cancel_all()
    assert [each.method for each in at.site.requests].count("DELETE") == 1


def test_fills_are_those_since_then_the_oldest_first() -> None:
    at = Bench({f"GET /accounts/{HASH}/orders": listing("bracket_target_filled", "order_filled")})
    since = datetime(2026, 11, 25, 15, 51, 55, tzinfo=UTC)
    assert [(each.broker_order_id, each.quantity) for each in at.broker.fills(since)] == [
        ("1002881234001", 6),
        ("1002881234012", 10),
    ]


def test_fills_of_one_second_are_told_in_the_order_of_their_orders() -> None:
    later, earlier = sample("order_filled"), sample("order_filled") | {"orderId": 999}
    at = Bench({f"GET /accounts/{HASH}/orders": dumped([later, earlier])})
    told = [each.execution_id for each in at.broker.fills(datetime(2026, 11, 25, tzinfo=UTC))]
    assert told == ["999:0.0", "1002881234001:0.0", "999:1.0", "1002881234001:1.0"]


def test_positions_are_signed_and_in_our_spelling() -> None:
    at = Bench({f"GET /accounts/{HASH}": answers("account_margin")})
    held = {each.contract: (each.quantity, each.average_price) for each in at.broker.positions()}
    assert held == {"AAPL": (10, Decimal("220.5")), "SPY": (3, 590), "TSLA": (-2, 400)}


@pytest.mark.parametrize("document", [{}, {"errors": ["try later"]}, {"securitiesAccount": {}}, {"securitiesAccount": None}])
def test_an_answer_without_the_account_is_not_flat(document: dict[str, Any]) -> None:
    at = Bench({f"GET /accounts/{HASH}": dumped(document)})
    for ask in (at.broker.positions, at.broker.balances, lambda: at.broker.liquidate("AAPL")):
        with pytest.raises(BrokerUnavailable):
            ask()


@pytest.mark.parametrize("name", ["longQuantity", "shortQuantity"])
@pytest.mark.parametrize("told", [None, "NaN", "Infinity", "1e400"])
def test_a_position_that_does_not_tell_how_much_is_not_flat(name: str, told: str | None) -> None:
    document = sample("account_margin")
    row = document["securitiesAccount"]["positions"][0]
    row.pop(name)
    row |= {} if told is None else {name: told}
    with pytest.raises(BrokerUnavailable):
        Bench({f"GET /accounts/{HASH}": dumped(document)}).broker.positions()


def test_the_balances_of_a_margin_and_of_a_cash_account() -> None:
    margin = Bench({f"GET /accounts/{HASH}": answers("account_margin")}).broker.balances()
    assert (margin.cash, margin.equity, margin.unrealised_pnl) == (21800, Decimal("25100.5"), Decimal("125.5"))
    cash = Bench({f"GET /accounts/{HASH}": answers("account_cash")}).broker.balances()
    assert (cash.cash, cash.equity) == (Decimal("1000.25"), Decimal("3290.75"))
    assert (cash.realised_pnl, cash.commission) == (None, None)


def test_an_open_result_that_is_not_told_of_all_that_is_held_is_not_known() -> None:
    document = sample("account_cash")
    del document["securitiesAccount"]["positions"][0]["longOpenProfitLoss"]
    assert Bench({f"GET /accounts/{HASH}": dumped(document)}).broker.balances().unrealised_pnl is None


def test_balances_without_any_figure_are_no_balances() -> None:
    empty = httpx.Response(200, json={"securitiesAccount": {"type": "CASH", "currentBalances": {}}})
    with pytest.raises(BrokerUnavailable):
        Bench({f"GET /accounts/{HASH}": empty}).broker.balances()


def test_a_short_position_is_closed_by_covering_it_once() -> None:
    at = Bench({f"GET /accounts/{HASH}": answers("account_margin"), PLACE: created(5)})
    at.broker.liquidate("TSLA")
    [body] = at.site.sent("POST")
    assert (body["orderLegCollection"][0]["instruction"], body["orderLegCollection"][0]["quantity"]) == ("BUY_TO_COVER", 2)
    at.broker.liquidate("MSFT")
    assert len(at.site.sent("POST")) == 1


def test_what_is_not_in_the_catalogue_is_closed_if_it_is_a_share() -> None:
    account = sample("account_margin")
    account["securitiesAccount"]["positions"][0]["instrument"]["symbol"] = "F"
    option = account["securitiesAccount"]["positions"][1]["instrument"]
    option |= {"assetType": "OPTION", "symbol": "AAPL  270115C00250000"}
    at = Bench({f"GET /accounts/{HASH}": dumped(account), PLACE: created(5)})
    at.broker.liquidate("F")
    assert at.site.sent("POST")[0]["orderLegCollection"][0]["instrument"]["symbol"] == "F"
    with pytest.raises(Unsupported):
        at.broker.liquidate("AAPL  270115C00250000")


def test_the_accounts_are_those_that_the_app_may_see() -> None:
    assert [(each.account_id, each.trades) for each in Bench().broker.accounts()] == [
        ("90000001", frozenset({"equity"})),
        ("90000002", frozenset({"equity"})),
    ]


# --- what would be refused ------------------------------------------------------------------------------------------------------


def checked(account: str = "account_margin", after_closing: str = "0", **fields: Any) -> Rejected | None:
    at = Bench({"GET /marketdata/v1/quotes": answers("quotes"), f"GET /accounts/{HASH}": answers(account)})
    return at.broker.precheck(leg(**fields), Decimal(after_closing))


def test_what_the_account_can_pay_is_not_objected_to() -> None:
    assert checked(quantity=Decimal(100)) is None


def test_buying_power_is_reckoned_with_what_the_closing_frees() -> None:
    refused = checked(quantity=Decimal(200))
    assert refused is not None
    assert refused.reason == "insufficient_margin"
    assert "45,810.00 required" in refused.text
    assert checked(quantity=Decimal(200), after_closing="10") is None


@pytest.mark.parametrize(
    ("account", "fields", "reason"),
    [
        ("account_cash", {"side": Side.SELL, "quantity": Decimal(1)}, "account_blocked"),
        ("account_margin", {"contract": "MSFT"}, "invalid_symbol"),
        ("account_margin", {"quantity": Decimal("0.5")}, "invalid_quantity"),
    ],
)
def test_other_reasons_against_an_order(account: str, fields: dict[str, Any], reason: str) -> None:
    refused = checked(account, **fields)
    assert refused is not None
    assert refused.reason == reason


@pytest.mark.parametrize(
    ("kind", "shortable", "words"),
    [("CASH", True, "cash account"), ("MARGIN", False, "cannot be sold short"), ("MARGIN", True, None)],
)
def test_shorts_need_a_margin_account_and_a_share_that_can_be_borrowed(kind: str, shortable: bool, words: str | None) -> None:
    quotes = sample("quotes")
    quotes["AAPL"]["reference"]["isShortable"] = shortable
    account = {"securitiesAccount": {"type": kind, "currentBalances": {"buyingPower": 100_000}}}
    at = Bench({"GET /marketdata/v1/quotes": dumped(quotes), f"GET /accounts/{HASH}": dumped(account)})
    refused = at.broker.precheck(leg(side=Side.SELL), Decimal(0))
    assert (refused is None) is (words is None)
    assert words is None or (refused and words in refused.text)


def test_what_reduces_is_not_asked_for_money() -> None:
    assert checked("account_cash", side=Side.SELL, reduce_only=True) is None


def test_trades_are_not_streamed() -> None:
    with pytest.raises(Unsupported, match="quotes and bars"):
        Bench().broker.stream(["AAPL"], Feed.TICKS)

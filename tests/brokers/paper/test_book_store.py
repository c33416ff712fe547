"""One suite for the fake and the DynamoDB store of the paper exchange's books."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import Conflict
from fillpath_aws.paper_book_store import DynamoPaperBookStore
from fillpath_brokers.paper.book_store import PaperBookStore
from tests.brokers.paper.exchange import AAPL, ES, PaperExchange, leg, ref
from tests.contract.moto import Moto, serve
from tests.fakes.paper_book_store import FakePaperBookStore

PAPER_TABLE = {
    "TableName": "paper",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
}


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with serve() as server:
        yield server


@pytest.fixture(params=["fake", pytest.param("aws", marks=[pytest.mark.integration, pytest.mark.enable_socket])])
def store(request: pytest.FixtureRequest) -> PaperBookStore:
    if request.param == "fake":
        return FakePaperBookStore()
    moto: Moto = request.getfixturevalue("moto")
    moto.reset()
    moto.dynamodb.call("CreateTable", PAPER_TABLE)
    return DynamoPaperBookStore(moto.dynamodb, "paper")


def account(version: int, **more: Any) -> dict[str, Any]:
    return {"version": Decimal(version), "cash": Decimal("999997.50"), "positions": {}, **more}


def order(client_order_id: str, **more: Any) -> dict[str, Any]:
    return {"client_order_id": client_order_id, "status": "WORKING", "reduce_only": False, **more}


def fill(client_order_id: str, n: int) -> dict[str, Any]:
    return {"client_order_id": client_order_id, "n": Decimal(n), "price": Decimal("0.0066005")}


def test_nothing_is_there_at_first(store: PaperBookStore) -> None:
    assert store.load("A") == (None, None)
    assert store.load("A", "1-main") == (None, None)
    assert store.fills("A", "1-main") == ()


def test_account_order_and_fills_come_back_as_they_were_written(store: PaperBookStore) -> None:
    held = account(1, positions={"ESH6": {"quantity": Decimal(-2), "average_price": Decimal("5900.083333333333333333333333")}})
    sent = order("1-main", commission=Decimal("2.50"), reduce_only=True)

    store.save("A", held, [sent], [fill("1-main", 1)], "1-main")

    assert store.load("A", "1-main") == (held, sent)
    assert store.fills("A", "1-main") == (fill("1-main", 1),)


def test_accounts_are_apart(store: PaperBookStore) -> None:
    store.save("A", account(1), [order("1-main")], [fill("1-main", 1)], "1-main")
    store.save("B", account(1), [], [])

    assert store.load("B", "1-main") == (account(1), None)
    assert store.fills("B", "1-main") == ()


def test_orders_are_apart(store: PaperBookStore) -> None:
    store.save("A", account(1), [order("1-main"), order("1-main-2")], [fill("1-main", 1), fill("1-main-2", 1)], "1-main")

    assert store.load("A", "1-main")[1] == order("1-main")
    assert store.fills("A", "1-main") == (fill("1-main", 1),)


def test_an_order_is_written_over_and_its_fills_add_up(store: PaperBookStore) -> None:
    store.save("A", account(1), [order("1-main")], [], "1-main")
    for n in range(1, 12):
        store.save("A", account(n + 1), [order("1-main", filled_quantity=Decimal(n))], [fill("1-main", n)])

    assert store.load("A", "1-main") == (account(12), order("1-main", filled_quantity=Decimal(11)))
    assert [each["n"] for each in store.fills("A", "1-main")] == list(range(1, 12))


@pytest.mark.parametrize("version", [1, 2, 4])
def test_an_account_that_has_moved_on_is_a_conflict_and_nothing_is_written(store: PaperBookStore, version: int) -> None:
    store.save("A", account(1), [], [])
    store.save("A", account(2), [], [])

    with pytest.raises(Conflict):
        store.save("A", account(version), [order("1-main")], [fill("1-main", 1)], "1-main")

    assert store.load("A", "1-main") == (account(2), None)
    assert store.fills("A", "1-main") == ()


def test_the_first_save_of_an_account_must_be_its_first(store: PaperBookStore) -> None:
    with pytest.raises(Conflict):
        store.save("A", account(2), [], [])

    assert store.load("A") == (None, None)


def test_an_order_is_placed_once(store: PaperBookStore) -> None:
    store.save("A", account(1), [order("1-main")], [], "1-main")

    with pytest.raises(Conflict):
        store.save("A", account(2), [order("1-main", status="FILLED")], [], "1-main")

    assert store.load("A", "1-main") == (account(1), order("1-main"))


def test_the_fills_of_an_account_are_found_from_an_instant_on(store: PaperBookStore) -> None:
    at = [f"2026-03-02T14:30:0{second}.000Z" for second in range(3)]
    dated = [{**fill(f"{3 - second}-main", 1), "at": text} for second, text in enumerate(at)]
    store.save("A", account(1), [order("1-main"), order("2-main"), order("3-main")], dated)
    store.save("B", account(1), [order("9-main")], [{**fill("9-main", 1), "at": at[2]}])

    assert sorted(store.fills_since("A", at[1]), key=lambda each: each["at"]) == dated[1:]
    assert store.fills_since("A", "2027") == ()
    assert len(store.fills_since("B", "")) == 1


def test_the_exchange_trades_on_it(store: PaperBookStore) -> None:
    exchange = PaperExchange(store)
    resting = leg("sell", "2", stop="5890", reduce_only=True)
    exchange.accepted(leg("buy", "3"))
    exchange.accepted(leg("buy", "0.125", AAPL))
    exchange.accepted(resting)
    exchange.under("never_fill", times="3")
    exchange.trades_at(ES, "5889.75")

    again = PaperExchange(store)
    again.trades_at(ES, "5889.75")

    view = again.seen(resting)
    assert (view.filled_quantity, view.average_price) == (Decimal(2), Decimal("5889.75"))
    assert view == exchange.seen(resting)
    assert again.broker.balances() == exchange.broker.balances()
    assert again.broker.positions() == exchange.broker.positions()
    assert [position.quantity for position in again.broker.positions()] in ([1, Decimal("0.125")], [Decimal("0.125"), 1])
    again.accepted(leg("buy", "1"))
    assert again.broker.order(ref(resting)) == view

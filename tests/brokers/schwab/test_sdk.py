"""schwab-py, the known client for Schwab, against the simulator: unmodified but for the URL.

It has Schwab's address written into it, so its HTTP session, an ordinary httpx client, gets a transport that leads every request
elsewhere. The streamer's address it takes from Schwab's own answer, which here is the simulator's.
"""

import asyncio
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.simulators.options import Options
from tests.simulators.schwab import ACCOUNT_NUMBER, CREDENTIALS
from tests.simulators.server import Simulator, running
from tests.waiting import PATIENCE_S, until

with warnings.catch_warnings(record=True):  # it uses what its own libraries call legacy
    warnings.simplefilter("always")
    from authlib.integrations.httpx_client import OAuth2Client
    from schwab.auth import TOKEN_ENDPOINT, TokenMetadata
    from schwab.client import Client
    from schwab.orders.common import Duration, OrderType, Session, first_triggers_second, one_cancels_other
    from schwab.orders.equities import equity_buy_limit, equity_buy_market, equity_sell_limit, equity_sell_market
    from schwab.orders.generic import OrderBuilder
    from schwab.streaming import StreamClient, UnexpectedResponseCode
    from schwab.utils import Utils

pytestmark = [
    pytest.mark.integration,
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:websockets"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:schwab"),
]


class Elsewhere(httpx.BaseTransport):
    """Leads every request to another place."""

    def __init__(self, url: str) -> None:
        self._place = httpx.URL(url)
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme=self._place.scheme, host=self._place.host, port=self._place.port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running("schwab", Options(strict=True)) as made:
        made.exchange.set_price("AAPL", Decimal(200))
        yield made


@pytest.fixture
def session(simulator: Simulator) -> Iterator[OAuth2Client]:
    """Signed in as its own login flow does it: with the code of the callback."""
    key, secret, callback = CREDENTIALS["app_key"], CREDENTIALS["app_secret"], "https://127.0.0.1"
    made = OAuth2Client(
        key,
        client_secret=secret,
        redirect_uri=callback,
        token_endpoint=TOKEN_ENDPOINT,
        update_token=lambda *_, **__: None,
        leeway=300,
        transport=Elsewhere(simulator.url),
    )
    url, _ = made.create_authorization_url("https://api.schwabapi.com/v1/oauth/authorize")
    parts = urlsplit(url)
    there = httpx.get(f"{simulator.url}{parts.path}?{parts.query}", follow_redirects=False).headers["Location"]
    made.fetch_token(
        TOKEN_ENDPOINT,
        authorization_response=f"{there}&state={parse_qs(parts.query)['state'][0]}",
        client_id=key,
        auth=(key, secret),
    )
    yield made
    made.close()


@pytest.fixture
def client(session: OAuth2Client) -> Client:
    metadata = TokenMetadata(session.token, int(time.time()), lambda *_, **__: None)
    return Client(CREDENTIALS["app_key"], session, token_metadata=metadata)


@pytest.fixture
def account(client: Client) -> str:
    [number] = [each["hashValue"] for each in client.get_account_numbers().json() if each["accountNumber"] == ACCOUNT_NUMBER]
    return str(number)


def placed(client: Client, account: str, order: Any) -> int:
    answer = client.place_order(account, order)
    assert answer.status_code == 201, answer.text
    order_id = Utils(client, account).extract_order_id(answer)
    assert order_id is not None
    return int(order_id)


def becomes(client: Client, account: str, order_id: int, status: str) -> dict[str, Any]:
    found = until(lambda: client.get_order(order_id, account).json(), lambda order: order["status"] == status)
    return dict(found)


def test_it_places_an_order_and_reads_its_fill_and_position(client: Client, account: str) -> None:
    order = becomes(client, account, placed(client, account, equity_buy_market("AAPL", 3)), "FILLED")
    assert (order["filledQuantity"], order["orderActivityCollection"][0]["executionLegs"][0]["price"]) == (3, 200)
    shown = client.get_account(account, fields=[client.Account.Fields.POSITIONS]).json()["securitiesAccount"]
    assert [(each["instrument"]["symbol"], each["longQuantity"]) for each in shown["positions"]] == [("AAPL", 3)]
    kinds, tomorrow = [client.Transactions.TransactionType.TRADE], datetime.now(UTC) + timedelta(days=1)
    trades = client.get_transactions(account, end_date=tomorrow, transaction_types=kinds).json()
    assert [each["orderId"] for each in trades] == [order["orderId"]]


def test_it_replaces_and_cancels_a_limit_order(client: Client, account: str) -> None:
    limit = equity_buy_limit("AAPL", 2, "150.00").set_duration(Duration.GOOD_TILL_CANCEL).set_session(Session.NORMAL)
    first = placed(client, account, limit)
    answer = client.replace_order(account, first, equity_buy_limit("AAPL", 2, "151.00"))
    second = Utils(client, account).extract_order_id(answer)
    assert becomes(client, account, first, "REPLACED")["replacingOrderCollection"][0]["orderId"] == second
    assert becomes(client, account, second, "WORKING")["price"] == 151
    assert client.cancel_order(second, account).status_code == 200
    becomes(client, account, second, "CANCELED")
    working = client.get_orders_for_account(account, status=client.Order.Status.WORKING).json()
    assert working == []
    assert client.cancel_order(second, account).status_code == 400


def test_it_places_a_bracket(client: Client, account: str, simulator: Simulator) -> None:
    stop = equity_sell_market("AAPL", 1).set_order_type(OrderType.STOP).set_stop_price("190.00")
    exits = one_cancels_other(equity_sell_limit("AAPL", 1, "210.00"), stop)
    entry: OrderBuilder = first_triggers_second(equity_buy_market("AAPL", 1), exits)
    order_id = placed(client, account, entry)
    order = becomes(client, account, order_id, "FILLED")
    [group] = order["childOrderStrategies"]
    assert [each["orderType"] for each in group["childOrderStrategies"]] == ["LIMIT", "STOP"]
    simulator.exchange.set_price("AAPL", Decimal(211))
    children = becomes(client, account, order_id, "FILLED")["childOrderStrategies"][0]["childOrderStrategies"]
    assert [each["status"] for each in children] == ["FILLED", "CANCELED"]


def test_it_previews_and_is_refused_in_schwabs_words(client: Client, account: str) -> None:
    assert client.preview_order(account, equity_buy_market("AAPL", 1)).json()["orderValidationResult"]["rejects"] == []
    refused = client.place_order(account, equity_buy_market("NOTHING", 1))
    assert refused.status_code == 400
    assert "NOTHING" in refused.json()["errors"][0]
    oversold = placed(client, account, equity_sell_market("AAPL", 1))
    assert "Position_Sys_0001" in becomes(client, account, oversold, "REJECTED")["statusDescription"]


def test_it_reads_quotes_and_bars(client: Client) -> None:
    quotes = client.get_quotes(["AAPL", "/ES", "NOTHING"]).json()
    assert quotes["AAPL"]["quote"]["lastPrice"] == 200
    assert quotes["/ES"]["assetMainType"] == "FUTURE"
    assert quotes["errors"] == {"invalidSymbols": ["NOTHING"]}
    end = datetime.now(UTC)
    bars = client.get_price_history_every_minute("AAPL", start_datetime=end - timedelta(minutes=30), end_datetime=end).json()
    assert len(bars["candles"]) >= 25
    daily = client.get_price_history_every_day("AAPL", start_datetime=end - timedelta(days=9), end_datetime=end).json()
    assert not daily["empty"]


def test_its_session_renews_a_token_that_ends(client: Client, session: OAuth2Client, simulator: Simulator) -> None:
    before = session.token["access_token"]
    session.token["expires_at"] = int(time.time()) + 60
    simulator.faults.add({"expire_tokens": True})
    assert client.get_account_numbers().status_code == 200
    assert session.token["access_token"] != before


def test_it_streams_quotes_bars_and_account_activity(client: Client, account: str, simulator: Simulator) -> None:
    heard: dict[str, list[dict[str, Any]]] = {"quotes": [], "shares": [], "bars": [], "activity": []}

    def keep(name: str) -> Any:
        return lambda message: heard[name].extend(message["content"])

    async def follow() -> None:
        stream = StreamClient(client, account_id=ACCOUNT_NUMBER)
        stream.add_level_one_futures_handler(keep("quotes"))
        stream.add_level_one_equity_handler(keep("shares"))
        stream.add_chart_equity_handler(keep("bars"))
        stream.add_account_activity_handler(keep("activity"))
        await stream.login()
        await stream.level_one_futures_subs(["/ES"])
        await stream.level_one_equity_subs(["AAPL"])
        await stream.level_one_equity_add(["MSFT"])
        await stream.chart_equity_subs(["AAPL"])
        await stream.account_activity_sub()
        await asyncio.to_thread(client.place_order, account, equity_buy_market("AAPL", 1))
        simulator.exchange.end_minute()
        async with asyncio.timeout(PATIENCE_S):
            while not (
                all(heard.values()) and any(each.get("MESSAGE_TYPE") == "OrderFillCompleted" for each in heard["activity"])
            ):
                await stream.handle_message()
        await stream.level_one_equity_unsubs(["MSFT"])
        await stream.logout()

    asyncio.run(follow())
    assert {"BID_PRICE", "ASK_PRICE", "BID_SIZE"} <= heard["quotes"][0].keys()
    assert {"OPEN_PRICE", "CLOSE_PRICE", "CHART_TIME_MILLIS"} <= heard["bars"][0].keys()
    assert heard["activity"][0]["MESSAGE_TYPE"] == "SUBSCRIBED"


def test_its_stream_is_refused_with_a_token_that_is_over(client: Client, simulator: Simulator) -> None:
    async def follow() -> None:
        stream = StreamClient(client, account_id=ACCOUNT_NUMBER)
        preferences = client.get_user_preferences()
        simulator.faults.add({"expire_tokens": True})
        client.get_user_preferences = lambda: preferences
        with pytest.raises(UnexpectedResponseCode, match="Login Denied"):
            await stream.login()

    asyncio.run(follow())

"""Every sample of events/brokers/alpaca is read by the code it is for, and is what Alpaca's schema says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from fillpath.errors import NeedsReauth
from fillpath.market.bars import Interval
from fillpath_brokers.alpaca.data_protocol import DataProtocol
from fillpath_brokers.alpaca.orders_protocol import OrdersProtocol
from fillpath_brokers.alpaca.refusals import is_duplicate, read, refusal
from fillpath_brokers.alpaca.wire import exits_view, own_view, pair_of
from fillpath_brokers.facade import OrderRef
from fillpath_brokers.streaming.protocol import StreamProtocol
from fillpath_brokers.web import Reply
from tests.brokers.alpaca.test_venue import Site
from tests.brokers.alpaca.test_wire import EVENTS, sample
from tests.simulators.alpaca.schemas import SCHEMAS
from tests.simulators.alpaca.streams import definition_of

NAMES = sorted(file.stem for file in EVENTS.glob("*.json"))
STREAMS = sorted(file.stem for file in (EVENTS / "streams").glob("*.jsonl"))
KEYS = {"key_id": "PKTEST", "secret_key": "s3cret"}
UNSEEN = "a kind of event that nobody has seen"
"""Is what no schema knows, so that it is known what becomes of it."""
AT = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)
PROTOCOLS: dict[str, Callable[[], StreamProtocol[Any]]] = {
    "market_data": lambda: DataProtocol(KEYS, ["trades AAPL", "quotes AAPL", "bars AAPL"]),
    "trade_updates": lambda: OrdersProtocol(KEYS),
}


def some_bars(document: Any) -> object:
    last: dict[str, Any] = {"bars": {}, "next_page_token": None}
    at = Site(**{"GET__stocks/bars": lambda request: last if "page_token" in request.url.params else document})
    return at.broker.history("AAPL", AT, AT + timedelta(minutes=1), Interval.MINUTE).bars


def an_error(document: Any) -> object:
    reply = Reply(422, {}, json.dumps(document).encode())
    code, text = read(reply)
    return code == document["code"] and text == document["message"] and (is_duplicate(reply) or refusal(reply).reason)


READERS: dict[str, tuple[Callable[[Any], object], str]] = {
    "bars": (some_bars, "Bars"),
    "bracket": (exits_view, "Order"),
    "oco": (lambda each: pair_of([each, *each["legs"]]), "Order"),
    "order": (own_view, "Order"),
    "oto": (exits_view, "Order"),
    "position": (lambda each: Site(GET__positions=[each]).broker.positions(), "Position"),
    "refusal": (an_error, "Error"),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_read_and_is_as_alpaca_sends_it(name: str) -> None:
    understand, definition = READERS[name.partition("_")[0]]
    assert understand(sample(name))
    SCHEMAS.check(definition, sample(name))


def test_every_reader_has_a_sample() -> None:
    assert {name.partition("_")[0] for name in NAMES} == set(READERS)


def messages(frame: str) -> list[dict[str, Any]]:
    said = json.loads(frame)
    return said if isinstance(said, list) else [said]


@pytest.mark.parametrize("name", STREAMS)
def test_every_recording_is_as_alpaca_sends_it_and_replays_alike(name: str) -> None:
    frames = (EVENTS / "streams" / f"{name}.jsonl").read_text().splitlines()
    for message in [message for frame in frames for message in messages(frame)]:
        if UNSEEN not in str(message):
            SCHEMAS.check(definition_of(message), message)
    runs = []
    for _ in range(2):
        protocol = PROTOCOLS[name]()
        runs.append([protocol.opened(), *(protocol.received(frame, AT) for frame in frames)])
    assert runs[0] == runs[1]


@pytest.mark.parametrize("quantity", ["-10", "10"])
def test_the_side_of_a_position_says_whether_it_is_short(quantity: str) -> None:
    [held] = Site(GET__positions=[sample("position_short") | {"qty": quantity}]).broker.positions()
    assert (held.contract, held.quantity) == ("AAPL", -10)


def test_refused_keys_need_a_person_and_are_told_in_alpacas_words() -> None:
    at = Site(GET__positions=httpx.Response(401, json=sample("refusal_keys")))
    with pytest.raises(NeedsReauth, match=sample("refusal_keys")["message"]):
        at.broker.positions()


def test_it_is_no_error_that_an_order_has_ended_before_it_could_be_cancelled() -> None:
    late = httpx.Response(422, json=sample("refusal_too_late_to_cancel"))
    at = Site(**{"DELETE__orders/1": late, "GET__orders/1": sample("order_filled")})
    at.broker.cancel(OrderRef("c-1", "1"))
    assert len(at.asked("DELETE")) == 1

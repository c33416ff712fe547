"""What may happen to any request: penalties, denied tokens, warnings and lock-outs."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from fillpath.accounts.access import Token
from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent
from fillpath.orders.outcomes import Accepted, Unknown
from fillpath_brokers.facade import OrderRef
from fillpath_brokers.tradovate.venue import TradovateBroker
from fillpath_brokers.web import Web
from tests.brokers.tradovate.house import ACCOUNT_ID, House, leg, sample

PLACE = "order/placeorder"


def penalty(seconds: int, captcha: bool = False) -> dict[str, Any]:
    return {"p-ticket": "11,dGlja2V0", "p-time": seconds, "p-captcha": captcha}


def test_a_short_penalty_is_waited_for_and_the_same_order_sent_with_its_ticket() -> None:
    house = House()
    house.venue.lay_down(PLACE, penalty(2), sample("placed"))
    began = house.clock.now()
    assert isinstance(house.broker.submit(leg()), Accepted)
    first, second = house.venue.requests(PLACE)
    assert second.body == first.body | {"p-ticket": "11,dGlja2V0"}
    assert house.clock.now() - began == timedelta(seconds=2)


def test_a_long_penalty_proves_that_nothing_was_placed_and_its_ticket_is_kept_for_the_same_order() -> None:
    house = House()
    house.venue.lay_down(PLACE, penalty(15), sample("placed"))
    with pytest.raises(NotSent) as told:
        house.broker.submit(leg())
    assert told.value.delay_s == 15
    house.clock.sleep(5)
    with pytest.raises(NotSent, match="10 s are left"):
        house.broker.submit(leg())
    assert len(house.venue.requests(PLACE)) == 1
    house.clock.sleep(10)
    assert isinstance(house.broker.submit(leg()), Accepted)
    assert house.venue.requests(PLACE)[1].body["p-ticket"] == "11,dGlja2V0"


def test_a_ticket_belongs_to_its_own_order_and_is_used_once() -> None:
    house = House()
    house.venue.lay_down(PLACE, penalty(15), sample("placed"))
    with pytest.raises(NotSent):
        house.broker.submit(leg())
    house.clock.sleep(15)
    house.broker.submit(leg(client_order_id="c-2"))
    house.broker.submit(leg())
    assert all("p-ticket" not in each.body for each in house.venue.requests(PLACE)[1:])


def test_a_second_penalty_in_a_row_is_not_waited_for() -> None:
    house = House()
    house.venue.lay_down(PLACE, penalty(2))
    with pytest.raises(NotSent):
        house.broker.submit(leg())
    assert len(house.venue.requests(PLACE)) == 2


def test_a_penalty_on_a_look_at_an_order_is_waited_for_too() -> None:
    house = House()
    house.venue.lay_down("order/item", penalty(1), sample("order_working"))
    assert house.broker.order(OrderRef("c-1", "210518"))
    assert house.venue.requests("order/item")[1].query == {"id": "210518", "p-ticket": "11,dGlja2V0"}


def test_a_captcha_silences_the_account_for_an_hour() -> None:
    house = House()
    house.venue.lay_down(PLACE, penalty(19, captcha=True), sample("placed"))
    with pytest.raises(NotSent, match="captcha") as told:
        house.broker.submit(leg())
    assert told.value.delay_s == 3600
    with pytest.raises(NotSent):
        house.broker.cancel(OrderRef("c-1", "210518"))
    assert len(house.venue.asked) == 1
    house.clock.sleep(3601)
    house.keep(
        Token("token-2", house.clock.now() + timedelta(hours=1), extra={"account_id": "123", "account_name": "DEMO123456"})
    )
    assert isinstance(house.broker.submit(leg()), Accepted)


def test_an_empty_429_silences_everybody_for_an_hour() -> None:
    house = House()
    house.venue.lay_down(PLACE, "", status=429)
    with pytest.raises(NotSent) as told:
        house.broker.submit(leg())
    assert told.value.delay_s == 3600
    with pytest.raises(NotSent):
        house.broker.positions()
    assert len(house.venue.asked) == 1


def test_how_long_a_lock_out_lasts_is_a_setting() -> None:
    house = House(rate_limit_wait_s="90")
    house.venue.lay_down(PLACE, "", status=429)
    with pytest.raises(NotSent) as told:
        house.broker.submit(leg())
    assert told.value.delay_s == 90


def test_a_423_slows_everybody_down_and_says_nothing_about_the_order() -> None:
    house = House()
    house.venue.lay_down(PLACE, "slow down", status=423)
    assert isinstance(house.broker.submit(leg()), Unknown)
    with pytest.raises(NotSent) as told:
        house.broker.orders()
    assert told.value.delay_s == pytest.approx(60)


def test_requests_stay_below_one_a_second_on_average() -> None:
    house = House()
    done, began = 0, house.clock.now()
    for _ in range(600):
        try:
            house.broker.cancel(OrderRef("c-1", "210518"))
            done += 1
        except NotSent:
            pass
        house.clock.sleep(0.5)
    passed = house.clock.now() - began
    assert 100 < done <= 30 + passed.total_seconds() * 50 / 60 + 1


def test_what_only_reduces_may_use_the_reserve() -> None:
    house = House()
    house.venue.lay_down(PLACE, sample("placed"))
    for _ in range(20):
        house.broker.submit(leg())
    waits = []
    for reduce_only in (False, True):
        began = house.clock.now()
        assert isinstance(house.broker.submit(leg(reduce_only=reduce_only)), Accepted)
        waits.append((house.clock.now() - began).total_seconds())
    assert waits == [pytest.approx(1.2), 0]


def test_looks_at_entries_leave_the_reserve_to_what_reduces() -> None:
    house = House()
    house.venue.lay_down("order/item", *[None] * 100, status=404)
    for _ in range(10):
        house.broker.order(OrderRef("c-1", "1", leg()))
    waits = []
    for reduce_only in (False, True):
        began = house.clock.now()
        house.broker.order(OrderRef("c-1", "1", leg(reduce_only=reduce_only)))
        waits.append(house.clock.now() > began)
    assert waits == [True, False]


def test_a_denied_token_is_told_to_everybody_and_proves_that_nothing_was_placed() -> None:
    house = House()
    house.venue.lay_down(PLACE, "Access is denied", status=401)
    with pytest.raises(NotSent, match="renewed"):
        house.broker.submit(leg())
    status = house.tokens.status(ACCOUNT_ID)
    assert status is not None
    assert status.is_refused
    with pytest.raises(NotSent):
        house.broker.submit(leg())
    assert len(house.venue.requests(PLACE)) == 1


def test_where_the_next_token_is_denied_too_a_person_must_approve_the_device() -> None:
    house = House()
    house.venue.lay_down(PLACE, "Access is denied", status=401)
    with pytest.raises(NotSent):
        house.broker.submit(leg())
    house.keep(
        Token("token-2", house.clock.now() + timedelta(hours=1), extra={"account_id": "123", "account_name": "DEMO123456"})
    )
    with pytest.raises(NeedsReauth, match="approve it in the e-mail"):
        house.broker.submit(leg())


def test_a_refusal_inside_an_answer_to_a_read_is_no_answer() -> None:
    house = House()
    house.venue.lay_down("order/item", {"errorText": "Internal error"})
    with pytest.raises(BrokerUnavailable, match="Internal error"):
        house.broker.order(OrderRef("c-1", "210518"))


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone")])
def test_an_order_without_an_answer_is_sent_once_and_in_doubt(answer: Exception) -> None:
    house = House()
    house.venue.lay_down(PLACE, answer)
    assert isinstance(house.broker.submit(leg()), Unknown)
    assert len(house.venue.requests(PLACE)) == 1


def test_an_order_that_could_not_leave_was_not_placed() -> None:
    house = House()
    house.venue.lay_down(PLACE, httpx.ConnectError("no route"))
    with pytest.raises(NotSent):
        house.broker.submit(leg())


def test_the_order_goes_out_with_the_account_s_token_and_without_other_requests() -> None:
    house = House()
    house.venue.lay_down(PLACE, sample("placed"))
    house.broker.submit(leg(quantity=Decimal(1)))
    [asked] = house.venue.asked
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert asked.body["accountId"] == 123


def test_the_warning_before_a_lock_out_is_in_doubt_though_the_token_has_ended_meanwhile() -> None:
    house = House()
    house.keep(
        Token("short", house.clock.now() + timedelta(seconds=6), extra={"account_id": "123", "account_name": "DEMO123456"})
    )

    def slow(_: httpx.Request) -> httpx.Response:
        house.clock.sleep(5)
        return httpx.Response(423)

    web = Web(house.limits, house.clock, httpx.Client(transport=httpx.MockTransport(slow)))
    broker = TradovateBroker(ACCOUNT_ID, replace(house.services, web=web))
    assert isinstance(broker.submit(leg()), Unknown)
    assert house.limits.buckets.paused_until

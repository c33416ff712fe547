"""Each scenario once for every call that it makes to a port: the call fails before its effect or after it, then life goes on.

Whatever the call, the venue sees each leg once, the records add up to what is held, and nothing is left hanging.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.orders.model import Operation, OrderState, OrderType
from tests.orders.faults import Fuse
from tests.orders.floor import Fakes, at_rest, bracket, fakes, signal, to_target
from tests.orders.house import House
from tests.orders.judge import faults
from tests.orders.venue import DEDUPLICATES, FORGETFUL, PROVES_NOTHING, limited, lost_reply, never_arrived

_MOST_CALLS = 400
_VENUES = {"deduplicates": DEDUPLICATES, "forgetful": FORGETFUL, "proves nothing": PROVES_NOTHING}


@dataclass(frozen=True)
class Scenario:
    """What is held, what is signalled, and where that leads if nothing fails."""

    start: int
    prepare: Callable[[Fakes], None]
    final: int
    least: int
    most: int


def _enter(on: Fakes) -> None:
    signal(on, Operation.ENTER_LONG, 2)


def _close(on: Fakes) -> None:
    signal(on, Operation.CLOSE, None)


def _reverse(on: Fakes) -> None:
    signal(on, Operation.ENTER_SHORT, 1)


def _enter_then_close(on: Fakes) -> None:
    signal(on, Operation.ENTER_LONG, 1)
    signal(on, Operation.CLOSE, None)


def _close_over_a_stop(on: Fakes) -> None:
    at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    signal(on, Operation.EXIT_LONG, 1)


def _reverse_over_a_stop(on: Fakes) -> None:
    at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    signal(on, Operation.ENTER_SHORT, 1)


def _reverse_two_contracts(on: Fakes) -> None:
    on.hold(1, "ESU6")
    signal(on, Operation.ENTER_SHORT, 1)


def _close_two_contracts(on: Fakes) -> None:
    on.hold(1, "ESU6")
    signal(on, Operation.CLOSE, None)


def _limited(on: Fakes) -> None:
    on.desk.answers_to("main", limited(5))
    signal(on, Operation.ENTER_LONG, 2)


def _limited_reversal(on: Fakes) -> None:
    on.desk.answers_to("close", limited(3))
    on.desk.answers_to("open", limited(3))
    signal(on, Operation.ENTER_SHORT, 1)


def _lost_reply(on: Fakes) -> None:
    on.desk.answers_to("main", lost_reply)
    signal(on, Operation.ENTER_LONG, 2)


def _never_arrived(on: Fakes) -> None:
    on.desk.answers_to("main", never_arrived)
    signal(on, Operation.EXIT_LONG, 2)
    signal(on, Operation.EXIT_LONG, 2)


def _slow_close(on: Fakes) -> None:
    on.desk.fill = lambda leg: Decimal(1) if leg.leg == "close" else leg.quantity
    signal(on, Operation.ENTER_SHORT, 1)


def _target(on: Fakes) -> None:
    to_target(on, -1, 2)


def _limit_entry(on: Fakes) -> None:
    signal(on, Operation.ENTER_LONG, 1, type=OrderType.LIMIT, limit_price=Decimal(90))


def _bracket(on: Fakes) -> None:
    bracket(on)


def _bracket_found_late(on: Fakes) -> None:
    on.desk.answers_to("main", lost_reply)
    bracket(on)


def _bracket_filled_in_part(on: Fakes) -> None:
    on.desk.fill = lambda leg: Decimal(1)
    bracket(on)


def _reversal_to_a_bracket(on: Fakes) -> None:
    bracket(on, Operation.ENTER_SHORT, 1)


def _entered(on: Fakes) -> None:
    bracket(on)
    on.run()
    on.checks.messages.clear()


def _exit_of_a_bracket(on: Fakes) -> None:
    _entered(on)
    signal(on, Operation.EXIT_LONG, 1)


def _close_of_a_bracket(on: Fakes) -> None:
    _entered(on)
    signal(on, Operation.CLOSE, None)


def _reversal_of_a_bracket(on: Fakes) -> None:
    _entered(on)
    bracket(on, Operation.ENTER_SHORT, 1)


def _exits_cancelled_by_the_venue(on: Fakes) -> None:
    _entered(on)
    on.desk.end(on.desk.orders[1])


def _bracket_at_rest_and_a_close(on: Fakes) -> None:
    bracket(on, type=OrderType.LIMIT, limit_price=Decimal(95))
    on.run()
    on.checks.messages.clear()
    on.desk.fill_now(on.desk.orders[0].leg.client_order_id, 1)
    signal(on, Operation.CLOSE, None)


BRACKETS = {
    "a bracket": Scenario(0, _bracket, 2, 0, 2),
    "a bracket whose reply is lost": Scenario(0, _bracket_found_late, 2, 0, 2),
    "a bracket that fills in part": Scenario(0, _bracket_filled_in_part, 1, 0, 1),
    "a reversal to a bracket": Scenario(2, _reversal_to_a_bracket, -1, -1, 2),
    "a partial exit of a bracket": Scenario(0, _exit_of_a_bracket, 1, 1, 2),
    "a close of a bracket": Scenario(0, _close_of_a_bracket, 0, 0, 2),
    "a reversal of a bracket": Scenario(0, _reversal_of_a_bracket, -1, -1, 2),
    "exits that the venue cancels": Scenario(0, _exits_cancelled_by_the_venue, 2, 2, 2),
    "a close over a bracket that rests": Scenario(0, _bracket_at_rest_and_a_close, 0, 0, 1),
}

SCENARIOS = BRACKETS | {
    "an entry": Scenario(0, _enter, 2, 0, 2),
    "a close": Scenario(2, _close, 0, 0, 2),
    "a reversal": Scenario(2, _reverse, -1, -1, 2),
    "a reversal by target": Scenario(2, _target, -1, -1, 2),
    "an entry and a close": Scenario(0, _enter_then_close, 0, 0, 1),
    "a limit entry": Scenario(0, _limit_entry, 0, 0, 0),
    "a partial exit over a stop": Scenario(2, _close_over_a_stop, 1, 1, 2),
    "a reversal over a stop": Scenario(2, _reverse_over_a_stop, -1, -1, 2),
    "a reversal of two contracts": Scenario(2, _reverse_two_contracts, -1, -1, 3),
    "a close of two contracts": Scenario(2, _close_two_contracts, 0, 0, 3),
    "a rate limited entry": Scenario(0, _limited, 2, 0, 2),
    "a rate limited reversal": Scenario(2, _limited_reversal, -1, -1, 2),
    "an entry whose reply is lost": Scenario(0, _lost_reply, 2, 0, 2),
    "an exit that never arrives and another": Scenario(2, _never_arrived, 0, 0, 2),
    "a reversal whose close fills in part": Scenario(2, _slow_close, 1, -1, 2),
}


def _at_first(on: Fakes) -> Decimal:
    """What was held before anything was traded."""
    return on.held() - sum((o.leg.side.sign * o.view.filled_quantity for o in on.desk.orders), Decimal(0))


def _run(scenario: Scenario, venue: Capabilities, fuse: Fuse, retries: int) -> list[str]:
    on = fakes(venue)
    on.hold(scenario.start)
    scenario.prepare(on)
    start = _at_first(on)
    House(on, fuse, retries).settle()
    wrong = faults(on, start)
    if not scenario.least <= on.held() <= scenario.most:
        wrong.append(f"held are {on.held()}")
    return wrong


@pytest.mark.parametrize("venue", _VENUES)
@pytest.mark.parametrize("name", SCENARIOS)
def test_without_a_fault_all_goes_where_it_should(name: str, venue: str) -> None:
    on, scenario = fakes(_VENUES[venue]), SCENARIOS[name]
    on.hold(scenario.start)
    scenario.prepare(on)
    start = _at_first(on)

    House(on).settle()

    assert faults(on, start) == []
    if not (venue == "proves nothing" and any(order.state is OrderState.UNKNOWN for order in on.tables.orders.values())):
        held = on.held()
        assert held == scenario.final


@pytest.mark.parametrize("error", [False, True], ids=["death", "error"])
@pytest.mark.parametrize("venue", _VENUES)
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_failing_call_doubles_loses_or_hangs_an_order(name: str, venue: str, error: bool) -> None:
    assert _every_call(name, venue, error, retries=0) == {}


@pytest.mark.parametrize("error", [False, True], ids=["death", "error"])
@pytest.mark.parametrize("name", BRACKETS)
def test_nor_do_two_failing_calls_of_a_bracket(name: str, error: bool) -> None:
    wrong = {again: _every_call(name, "forgetful", error, 0, again) for again in (1, 3)}
    assert not any(wrong.values()), wrong


@pytest.mark.parametrize("error", [False, True], ids=["death", "error"])
@pytest.mark.parametrize("name", [name for name in SCENARIOS if "reversal" in name])
def test_nor_does_it_where_the_execution_tries_its_steps_again(name: str, error: bool) -> None:
    assert _every_call(name, "deduplicates", error, retries=2) == {}


def _every_call(name: str, venue: str, error: bool, retries: int, again: int | None = None) -> dict[str, list[str]]:
    """What went wrong, by the call that failed."""
    wrong: dict[str, list[str]] = {}
    for after in (False, True):
        for number in range(1, _MOST_CALLS):
            fuse = Fuse(number, after, error, again=again)
            found = _run(SCENARIOS[name], _VENUES[venue], fuse, retries)
            if len(fuse.calls) < number:
                break
            if found:
                wrong[f"{'after' if after else 'before'} call {number}, {fuse.calls[number - 1]}"] = found
    return wrong

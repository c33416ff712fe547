"""What an order means for a position: the matrix of the design, and rules that hold for every order and every position."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.accounts.model import Gate
from fillpath.orders.model import Operation, Order, Side
from fillpath.orders.plan import Nothing, Plan, Refusal, Reversal, Trade, plan, surely_reduces

AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
ENTRIES = {Operation.ENTER_LONG, Operation.ENTER_SHORT}
EXITS = [operation for operation in Operation if operation not in ENTRIES | {Operation.TARGET}]

positions = st.integers(-9, 9).map(Decimal)
sizes = st.integers(1, 9).map(Decimal)
doubts = st.integers(0, 12).map(Decimal)
gates = st.sampled_from(Gate)


def order(operation: Operation, **fields: Any) -> Order:
    base: dict[str, Any] = {
        "order_id": "O", "alert_id": "A", "user_id": "U", "account_id": "A1", "venue": "fake", "symbol": "ES", "root": "ES",
        "contract": "ESZ6", "action": "buy", "operation": operation, "alert_time": AT, "received_at": AT,
    }  # fmt: skip
    return Order(**base | fields)


def target(to: int, prev: int | None = None, gate: Gate = Gate.IGNORE, prev_side: int | None = None) -> Order:
    decided = None if prev is None else Decimal(prev)
    return order(Operation.TARGET, target=Decimal(to), prev=decided, prev_side=prev_side, gate=gate)


def after(position: Decimal, decision: Plan) -> Decimal:
    """The position once the decision is carried out."""
    match decision:
        case Trade(side, quantity):
            return position + side.sign * quantity
        case Reversal(side, quantity):
            return side.sign * quantity
    return position


@pytest.mark.parametrize(
    ("position", "operation", "decision"),
    [
        (0, Operation.ENTER_LONG, Trade(Side.BUY, Decimal(1), reduces=False)),
        (1, Operation.ENTER_LONG, Trade(Side.BUY, Decimal(1), reduces=False)),
        (-2, Operation.ENTER_LONG, Reversal(Side.BUY, Decimal(1))),
        (0, Operation.ENTER_SHORT, Trade(Side.SELL, Decimal(1), reduces=False)),
        (3, Operation.ENTER_SHORT, Reversal(Side.SELL, Decimal(1))),
        (-1, Operation.ENTER_SHORT, Trade(Side.SELL, Decimal(1), reduces=False)),
    ],
)
def test_an_entry_goes_by_the_reversal_matrix(position: int, operation: Operation, decision: Plan) -> None:
    assert plan(order(operation, quantity=Decimal(1)), Decimal(position)) == decision


@given(operation=st.sampled_from(sorted(ENTRIES)), quantity=sizes, position=positions)
def test_every_entry_ends_on_its_own_side_with_at_least_its_quantity(
    operation: Operation, quantity: Decimal, position: Decimal
) -> None:
    sign = 1 if operation is Operation.ENTER_LONG else -1
    final = sign * after(position, plan(order(operation, quantity=quantity), position))
    assert final == quantity + max(sign * position, Decimal(0))


@given(operation=st.sampled_from(EXITS), quantity=st.none() | sizes, position=positions, doubt=doubts)
def test_an_exit_never_enlarges_and_never_crosses_zero(
    operation: Operation, quantity: Decimal | None, position: Decimal, doubt: Decimal
) -> None:
    decision = plan(order(operation, quantity=quantity), position, doubt)
    final = after(position, decision)
    assert isinstance(decision, Nothing | Trade)
    assert isinstance(decision, Nothing) or decision.reduces
    assert abs(final) <= abs(position)
    assert final * position >= 0
    assert abs(position - final) <= max(Decimal(0), abs(position) - doubt)


@given(to=positions, prev=st.none() | positions, gate=gates, position=positions, doubt=doubts)
def test_a_target_that_reduces_never_enlarges_and_never_crosses_zero(
    to: Decimal, prev: Decimal | None, gate: Gate, position: Decimal, doubt: Decimal
) -> None:
    decision = plan(order(Operation.TARGET, target=to, prev=prev, gate=gate), position, doubt)
    if isinstance(decision, Trade) and decision.reduces:
        final = after(position, decision)
        assert abs(final) < abs(position)
        assert final * position >= 0
        assert abs(position - final) <= max(Decimal(0), abs(position) - doubt)


@given(to=positions, prev=st.none() | positions, gate=gates, position=positions)
def test_a_target_never_takes_a_position_past_itself(to: Decimal, prev: Decimal | None, gate: Gate, position: Decimal) -> None:
    decision = plan(order(Operation.TARGET, target=to, prev=prev, gate=gate), position)
    final = after(position, decision)
    assert min(position, to, Decimal(0)) <= final <= max(position, to, Decimal(0))
    if not isinstance(decision, Nothing | Refusal) and not (isinstance(decision, Trade) and decision.reduces):
        assert final == to


@given(to=positions, prev=st.none() | positions, position=positions)
def test_what_its_own_words_call_a_reduction_is_planned_as_one(to: Decimal, prev: Decimal | None, position: Decimal) -> None:
    if surely_reduces(Operation.TARGET, to, prev):
        decision = plan(order(Operation.TARGET, target=to, prev=prev), position)
        assert isinstance(decision, Nothing) or (isinstance(decision, Trade) and decision.reduces)


@given(to=positions, prev=st.none() | positions, prev_side=st.none() | st.sampled_from([-1, 0, 1]), position=positions)
def test_resync_goes_to_the_target_wherever_belief_and_account_differ(
    to: Decimal, prev: Decimal | None, prev_side: int | None, position: Decimal
) -> None:
    wanted = order(Operation.TARGET, target=to, prev=prev, prev_side=prev_side, gate=Gate.RESYNC)
    side = (position > 0) - (position < 0)
    differs = prev != position if prev is not None else prev_side is not None and prev_side != side
    if differs:
        assert after(position, plan(wanted, position)) == to


@pytest.mark.parametrize(
    ("to", "prev", "position", "final"),
    [
        pytest.param(0, 2, 2, 0, id="flat closes what is held"),
        pytest.param(0, 2, -3, 0, id="flat closes whatever is held"),
        pytest.param(1, 3, 5, 1, id="an exit runs from what the account holds"),
        pytest.param(1, 3, 0, 0, id="an exit while flat opens nothing"),
        pytest.param(1, 3, -2, 0, id="an exit of the other side stops at zero"),
        pytest.param(3, 5, 2, 2, id="an exit to more than is held does nothing"),
        pytest.param(3, 1, 1, 3, id="an entry fills up to the target"),
        pytest.param(3, 1, 5, 5, id="an entry takes nothing away"),
        pytest.param(-2, 2, 2, -2, id="a flip opens exactly the new size"),
        pytest.param(-2, 2, 5, -2, id="a flip closes all that is held"),
        pytest.param(-2, 2, 0, -2, id="a flip while flat is an entry"),
        pytest.param(-2, 2, -5, -5, id="a flip that has happened is not repeated"),
        pytest.param(2, None, 5, 2, id="without prev the account decides: toward zero"),
        pytest.param(5, None, 2, 5, id="without prev the account decides: away from it"),
        pytest.param(-1, None, 2, -1, id="without prev the account decides: through zero"),
    ],
)
def test_a_target_takes_its_kind_from_prev_and_its_quantity_from_the_account(
    to: int, prev: int | None, position: int, final: int
) -> None:
    assert after(Decimal(position), plan(target(to, prev), Decimal(position))) == final


@pytest.mark.parametrize(
    ("to", "prev_side", "position", "final"),
    [
        pytest.param(-2, 1, 0, -2, id="the other side is an entry"),
        pytest.param(-2, 1, 3, -2, id="the other side is a reversal of what is held"),
        pytest.param(2, 0, 0, 2, id="from flat it is an entry"),
        pytest.param(0, 1, 3, 0, id="to flat it is an exit"),
        pytest.param(2, 1, 5, 2, id="on its own side the account decides: an exit"),
        pytest.param(2, 1, 1, 2, id="on its own side the account decides: an entry"),
    ],
)
def test_a_bare_previous_side_tells_the_kind_where_it_can(to: int, prev_side: int, position: int, final: int) -> None:
    assert after(Decimal(position), plan(target(to, prev_side=prev_side), Decimal(position))) == final


def test_the_gate_that_rejects_refuses_entries_and_lets_exits_pass() -> None:
    assert plan(target(2, 1, Gate.REJECT), Decimal(0)) == Refusal("position_mismatch")
    assert plan(target(-2, 1, Gate.REJECT), Decimal(3)) == Refusal("position_mismatch")
    assert plan(target(0, 1, Gate.REJECT), Decimal(3)) == Trade(Side.SELL, Decimal(3), reduces=True)
    assert plan(target(2, 1, Gate.REJECT), Decimal(1)) == Trade(Side.BUY, Decimal(1), reduces=False)


def test_the_gate_also_guards_an_entry_without_a_target() -> None:
    entry = order(Operation.ENTER_LONG, quantity=Decimal(1), prev_side=1, gate=Gate.REJECT)
    assert plan(entry, Decimal(0)) == Refusal("position_mismatch")
    assert plan(entry, Decimal(2)) == Trade(Side.BUY, Decimal(1), reduces=False)


@given(to=positions, position=positions)
def test_where_belief_and_account_agree_all_gates_decide_alike(to: Decimal, position: Decimal) -> None:
    decisions = {plan(order(Operation.TARGET, target=to, prev=position, gate=gate), position) for gate in Gate}
    assert len(decisions) == 1


@pytest.mark.parametrize(
    ("operation", "position", "reason"),
    [
        (Operation.CLOSE, 0, "flat"),
        (Operation.EXIT_LONG, 0, "flat"),
        (Operation.EXIT_LONG, -1, "other_side_held"),
        (Operation.CLOSE_LONG, -1, "other_side_held"),
        (Operation.EXIT_SHORT, 1, "other_side_held"),
        (Operation.CLOSE_SHORT, 1, "other_side_held"),
    ],
)
def test_an_exit_with_nothing_to_exit_does_nothing_and_says_why(operation: Operation, position: int, reason: str) -> None:
    assert plan(order(operation, quantity=Decimal(1)), Decimal(position)) == Nothing(reason)


def test_a_close_takes_all_whatever_quantity_it_names() -> None:
    assert plan(order(Operation.CLOSE_LONG, quantity=Decimal(1)), Decimal(3)) == Trade(Side.SELL, Decimal(3), reduces=True)


def test_what_may_already_be_leaving_is_not_sold_again() -> None:
    close = order(Operation.CLOSE)
    assert plan(close, Decimal(3), Decimal(2)) == Trade(Side.SELL, Decimal(1), reduces=True)
    assert plan(close, Decimal(3), Decimal(3)) == Nothing("spoken_for")
    assert plan(close, Decimal(-3), Decimal(5)) == Nothing("spoken_for")


def test_an_entry_that_reduces_takes_no_more_than_is_free_either() -> None:
    netted = order(Operation.ENTER_LONG, quantity=Decimal(2), includes_close=True)
    assert plan(netted, Decimal(-3), Decimal(2)) == Trade(Side.BUY, Decimal(1), reduces=True)
    assert plan(netted, Decimal(-3), Decimal(3)) == Nothing("spoken_for")

"""A halt: entries stop at once wherever they are, resting ones are cancelled, and what reduces goes on."""

from fillpath.orders.model import OrderState
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.waiting import until


def test_a_halt_between_accept_and_submit_stops_the_entry(stack: LocalStack, patient: Trader) -> None:
    with stack.paused("ExecuteOrder"):
        order = patient.order("buy", 1)
        patient.halt()
    order = patient.ended(order)
    assert (order.state, order.reason) == (OrderState.REJECTED, "halted")
    assert patient.broker_orders() == []


def test_a_close_works_under_a_halt(patient: Trader) -> None:
    patient.hold(1)
    patient.halt()
    assert patient.trade("close").state is OrderState.FILLED
    assert patient.position() == 0


def test_a_target_toward_zero_works_under_a_halt(patient: Trader) -> None:
    patient.hold(3)
    patient.halt()
    smaller = {
        "market_position": "long",
        "market_position_size": 1,
        "prev_market_position": "long",
        "prev_market_position_size": 3,
    }
    assert patient.trade("sell", 2, **smaller).state is OrderState.FILLED
    assert patient.position() == 1


def test_a_halt_during_a_reversal_lets_the_close_stand_and_opens_nothing(patient: Trader) -> None:
    patient.hold(1)
    patient.scenario("delay", seconds="1", leg="close")
    order = patient.order("sell", 1)
    until(lambda: patient.look(order).submitted_at)  # until then the whole reversal would be refused
    patient.halt()
    order = patient.ended(order)
    assert (order.state, order.reason, order.held, patient.position()) == (OrderState.ABORTED, "halted", 0, 0)


def test_a_halt_cancels_resting_entries_and_leaves_protection(stack: LocalStack, patient: Trader) -> None:
    patient.price("YM1!", "43500")
    patient.hold(1, "YM1!")
    entry = patient.order("buy", 1, "YM1!", type="limit", limit_price="43000")
    stop = patient.order("sell", 1, "YM1!", order_type="exit", type="stop", stop_price="43100")
    patient.became(entry, OrderState.WORKING)
    patient.became(stop, OrderState.WORKING)
    patient.halt()
    stack.sweep()
    assert patient.look(entry).state is OrderState.CANCELLED
    assert patient.look(stop).state is OrderState.WORKING


def test_trading_goes_on_after_a_halt(patient: Trader) -> None:
    patient.halt()
    assert patient.post("buy", 1).status_code == 403
    patient.resume()
    assert patient.trade("buy", 1).state is OrderState.FILLED

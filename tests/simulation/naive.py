"""The control: a worker as bridges are commonly written. It must fail, or the scenarios are too easy."""

from decimal import Decimal

from fillpath.orders.act import ComeBack, net
from fillpath.orders.floor import Floor, account_of
from fillpath.orders.model import Lane, Leg, LegStatus, Order, OrderState, Side, new_leg
from fillpath.orders.outcomes import Unknown
from fillpath.orders.plan import Plan, Reversal, Trade, plan
from fillpath.orders.transitions import answered, ended
from tests.simulation.cloud import Cloud
from tests.simulation.host import Host

_TRIES = 3


def naive_worker(lane: Lane, host: Host, cloud: Cloud) -> ComeBack | None:
    """Take each waiting order, read the position, send, try again on a time-out, write down what came of it."""
    on = cloud.floor(host)
    for waiting in on.orders.lane(lane).waiting:
        order = on.orders.get(waiting.order_id)
        held = net(on.desk.positions(account_of(order), order.root))
        done = order
        for leg in _legs(order, plan(order, held), held):
            done = _sent(done, leg, on)
        at = on.clock.now()
        on.orders.save(order, done if done.legs else ended(done, OrderState.SKIPPED, at, "nothing_to_do"))
    return None


def _legs(order: Order, decision: Plan, held: Decimal) -> list[Leg]:
    match decision:
        case Trade(side, quantity, reduces):
            return [new_leg(order, "main", order.contract, side, quantity, reduce_only=reduces)]
        case Reversal(side, quantity):
            close = new_leg(order, "close", order.contract, Side.of(-held), abs(held), reduce_only=True, at_market=True)
            return [close, new_leg(order, "open", order.contract, side, quantity, reduce_only=False)]
    return []


def _sent(order: Order, leg: Leg, on: Floor) -> Order:
    at = on.clock.now()
    leg = leg.model_copy(update={"attempts": 1, "prepared_at": at, "submit_by": at, "status": LegStatus.SUBMITTING})
    outcome = on.desk.submit(account_of(order), leg)
    for _ in range(_TRIES - 1):
        if isinstance(outcome, Unknown):
            outcome = on.desk.submit(account_of(order), leg)
    return answered(order.with_leg(leg), leg.leg, outcome, on.clock.now())

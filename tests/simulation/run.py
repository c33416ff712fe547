"""One scenario, run: from a scenario to the history of what happened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from fillpath import ids
from tests.simulation import senders
from tests.simulation.cloud import Cloud, Worker, real_worker
from tests.simulation.faults import Faults
from tests.simulation.history import History, Holding
from tests.simulation.scenario import Scenario


def run(scenario: Scenario, worker: Worker = real_worker, trace: Callable[[str], None] | None = None) -> tuple[History, Faults]:
    """Let the scenario happen, with ten quiet minutes at its end."""
    with _seeded_ids(scenario.seed):
        cloud = Cloud(scenario, worker, trace)
        _plan(cloud, scenario)
        if worker is real_worker:
            cloud.sweep_each_minute(scenario.ends_at)  # the control has no second line
        cloud.time.run(scenario.ends_at)
        cloud.time.close()
    _take_stock(cloud)
    return cloud.history, cloud.faults


def _plan(cloud: Cloud, scenario: Scenario) -> None:
    senders.register(cloud, scenario.signals, scenario.gate)
    for account_id, contract in scenario.stops:
        senders.protect(cloud, account_id, contract, cloud.history.started_with[account_id, contract])
    for signal in scenario.signals:
        senders.send(cloud, signal)
    for halt in scenario.halts:
        _plan_halt(cloud, halt.scope, halt.at, halt.until)
    for at, root, price in scenario.prices:
        _plan_price(cloud, at, root, price)
    for at, holding in scenario.by_hand:
        _plan_by_hand(cloud, at, holding)
    cloud.time.at(scenario.quiet_from, cloud.venue.calm_down)


class _SeededTokens:
    """The one source of chance under the use cases, made to repeat itself."""

    def __init__(self, random: Random) -> None:
        self.token_bytes: Callable[[int], bytes] = random.randbytes


@contextmanager
def _seeded_ids(seed: int) -> Iterator[None]:
    before = vars(ids)["secrets"]
    vars(ids)["secrets"] = _SeededTokens(Random(f"ids {seed}"))
    try:
        yield
    finally:
        vars(ids)["secrets"] = before


def _plan_halt(cloud: Cloud, scope: str, at: float, until: float | None) -> None:
    cloud.time.at(at, lambda: cloud.set_halt(scope, True))
    if until is not None:
        cloud.time.at(until, lambda: cloud.set_halt(scope, False))


def _plan_price(cloud: Cloud, at: float, root: str, price: int) -> None:
    cloud.time.at(at, lambda: cloud.venue.move_price(root, price))


def _plan_by_hand(cloud: Cloud, at: float, holding: Holding) -> None:
    cloud.time.at(at, lambda: cloud.venue.close_by_hand(holding))


def _take_stock(cloud: Cloud) -> None:
    history = cloud.history
    history.ended_at = cloud.time.now
    history.faults = [struck.at for struck in cloud.faults.struck]
    history.held = dict(cloud.venue.held)
    for lane, found in cloud.tables.lanes.items():
        history.waiting[lane] = tuple(found.waiting)
        history.unknown[lane] = tuple(found.unknown)

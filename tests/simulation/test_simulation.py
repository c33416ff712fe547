"""The order path under faults: nothing lost, doubled, stuck or wrong at any crash point, and every planted bug noticed."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Executor

import pytest

from tests.simulation import command
from tests.simulation.bugs import BUGS
from tests.simulation.campaign import Figures, campaign, hunt, processes
from tests.simulation.enumeration import Reached
from tests.simulation.faults import Kind, Phase, Point, Strike
from tests.simulation.planting import Bug, planted
from tests.simulation.scenario import draw
from tests.simulation.task import Found, Task, carry_out, history_of
from tests.simulation.violation import Violation

PER_POINT = 200
slow = pytest.mark.integration
A_STRIKE = Strike(Point("execute", "desk.submit", Phase.AFTER), 1, Kind.CRASH)


@pytest.fixture(scope="module")
def figures() -> Figures:
    return campaign(PER_POINT)


@slow
def test_nothing_goes_wrong_at_any_crash_point(figures: Figures) -> None:
    found = [f"{found.task.replay()}: {found.violations[0].text}" for found in figures.failed]
    assert not figures.violations, "\n".join(found)


@slow
def test_every_crash_point_is_struck_as_often_as_asked_for(figures: Figures) -> None:
    assert figures.crash_points >= 140
    assert figures.strikes == PER_POINT * figures.crash_points
    assert figures.missed == 0


@slow
@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_planted_bug_is_caught(bug: Bug, figures: Figures) -> None:
    assert figures.hunts[bug.name] is not None, bug.text


@slow
def test_the_naive_control_fails_in_most_scenarios(figures: Figures) -> None:
    assert 2 * sum(figures.naive) > len(figures.naive)


@slow
def test_figures_for_programs_name_what_was_promised(figures: Figures) -> None:
    told = json.loads(json.dumps(figures.as_json()))
    promised = "crash_points scenarios seconds lost doubled stuck wrong_position planted_bugs planted_bugs_caught"
    assert {*promised.split(), "naive_control_failures"} <= told.keys()
    assert (told["lost"], told["doubled"], told["stuck"], told["wrong_position"]) == (0, 0, 0, 0)
    assert figures.passed


def test_every_scenario_has_three_orders_of_two_sources_a_position_and_two_faults() -> None:
    for seed in range(150):
        scenario = draw(seed)
        assert len(scenario.signals) >= 3
        assert len({signal.source for signal in scenario.signals}) >= 2
        assert any(scenario.held.values())
        assert carry_out(Task(seed)).struck >= 2


@pytest.fixture
def pool() -> Iterator[Executor]:
    with processes() as pool:
        yield pool


def test_the_same_seed_makes_the_same_history_in_any_process(pool: Executor) -> None:
    tasks = [Task(seed) for seed in range(10)] + [Task(3, A_STRIKE._replace(variant=2))]
    assert list(pool.map(fingerprint, tasks)) == [fingerprint(task) for task in tasks]


def fingerprint(task: Task) -> str:
    history = history_of(task)
    told = repr((history.writes, history.sends, history.placed, history.replies, history.owners, history.faults))
    return hashlib.sha256(told.encode()).hexdigest()


def test_a_strike_hits_and_its_variants_differ() -> None:
    reached = Reached()
    reached.note(Found(Task(1), (), {A_STRIKE.point: 2}, 2, False))
    tasks = list(reached.tasks(12))
    assert len({task.strike for task in tasks}) == 12
    assert {task.strike.kind for task in tasks if task.strike} == {Kind.CRASH, Kind.UNANSWERED, Kind.SLOW}
    assert len({fingerprint(Task(1, A_STRIKE._replace(variant=variant))) for variant in range(3)}) == 3


def test_a_strike_is_what_its_text_says() -> None:
    strike = A_STRIKE._replace(variant=4)
    assert Strike.parse(str(strike)) == strike
    assert Task(7, strike).replay() == './fillpath simulate --seed 7 --strike "execute desk.submit after crash 1 4" --trace'


def test_a_planted_bug_is_gone_afterwards() -> None:
    bug = next(bug for bug in BUGS if bug.name == "fills_added")
    task = hunt(bug.name)
    assert task is not None
    assert not carry_out(task).violations
    with planted(bug.plant):
        assert carry_out(task).violations


def test_one_scenario_is_shown_as_a_timeline(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seed", "3", "--trace"]) == 0
    shown = capsys.readouterr().out
    assert "seed 3" in shown
    assert "desk.submit" in shown


def test_a_failing_scenario_fails_the_command_and_names_its_replay(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Figures(failed=[Found(Task(5), (Violation("lost", "an order is gone"),), {}, 2, False)])
    bad.violations["lost"] = 1
    monkeypatch.setattr(command, "campaign", lambda *_: bad)
    assert command.main(["--seeds", "1"]) == 1
    shown = capsys.readouterr().out
    assert "./fillpath simulate --seed 5 --trace" in shown
    assert "an order is gone" in shown

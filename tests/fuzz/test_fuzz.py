"""A small run of the fuzzer; `python -m tests.fuzz` is the long one."""

from tests.fuzz.__main__ import run
from tests.fuzz.mutator import inputs


def test_no_bent_message_breaks_the_parser() -> None:
    answers = run(4000, seed=7)
    assert sum(answers.values()) == 4000
    assert answers["refused"] > 1000
    assert len(answers) >= 7


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert list(inputs(50, 3)) == list(inputs(50, 3))
    assert list(inputs(50, 3)) != list(inputs(50, 4))

"""`python -m tests.fuzz [--inputs N] [--seed S]`: bodies bent at random; each must be answered, and none may break the parser."""

import argparse
import sys
from collections import Counter
from time import perf_counter

from tests.alerts.messages import check
from tests.fuzz.mutator import inputs


def run(count: int, seed: int) -> Counter[str]:
    """Answer so many inputs and count what became of them; the first that breaks the parser is raised with its bytes."""
    answers: Counter[str] = Counter()
    for body in inputs(count, seed):
        try:
            found = check(body)
        except Exception as exc:
            exc.add_note(f"input: {body!r}")
            raise
        answers[found.get("dialect", "refused")] += 1
    return answers


def main() -> int:
    """Run and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = perf_counter()
    answers = run(arguments.inputs, arguments.seed)
    took = perf_counter() - started
    print(f"{arguments.inputs} inputs in {took:.1f} s, seed {arguments.seed}: none broke the parser")
    for name, count in answers.most_common():
        print(f"  {name}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

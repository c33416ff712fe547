"""The command: ./fillpath simulate. Arguments come in; figures go out, or one scenario as a timeline."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.simulation.bugs import BUGS
from tests.simulation.campaign import Figures, campaign
from tests.simulation.faults import Strike
from tests.simulation.scenario import Scenario, Signal
from tests.simulation.task import Task, show
from tests.simulation.violation import Violation

DEFAULT_SEEDS = 200
_out = Console(highlight=False, emoji=False)
_err = Console(stderr=True, highlight=False, emoji=False)


def main(argv: Sequence[str]) -> int:
    """Run what is asked for; 0 only if nothing is wrong and everything wrong would have been noticed."""
    options = _options(argv)
    if options.seed is not None:
        return _replay(options)
    figures = _run(options.seeds)
    if options.json:
        _out.print_json(json.dumps(figures.as_json()))
    else:
        _tell(figures)
    return 0 if figures.passed else 1


def _options(argv: Sequence[str]) -> Namespace:
    parser = ArgumentParser("./fillpath simulate", description="The order path under injected faults, in virtual time.")
    parser.add_argument(
        "--seeds", type=_positive, default=DEFAULT_SEEDS, metavar="N", help="scenarios per crash point (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one object for programs")
    parser.add_argument("--seed", type=int, metavar="S", help="only this scenario, as a failing one names it")
    parser.add_argument("--strike", type=Strike.parse, metavar="FAULT", help="with --seed: the fault at a crash point")
    parser.add_argument("--trace", action="store_true", help="with --seed: every call of it")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


# --- the campaign ---------------------------------------------------------------------------------------------------------------


def _run(seeds: int) -> Figures:
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err) as progress:
        bars: dict[str, TaskID] = {}

        def step(name: str, done: int, total: int) -> None:
            if name not in bars:
                bars[name] = progress.add_task(name, total=total)
            progress.update(bars[name], completed=done)

        return campaign(seeds, step)


def _tell(figures: Figures) -> None:
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    rate = figures.scenarios / figures.seconds if figures.seconds else 0.0
    table.add_row("crash points", f"{figures.crash_points:,}", "use case, call, before or after it")
    table.add_row("scenarios", f"{figures.scenarios:,}", f"{figures.strikes:,} of them at a crash point")
    table.add_row("time", f"{figures.seconds:.0f} s", f"{rate:.0f} scenarios a second")
    for name in ("lost", "doubled", "stuck", "wrong_position"):
        table.add_row(name.replace("_", " "), _count(figures.headline(name)), "")
    others = sum(figures.violations.values()) - sum(map(figures.headline, ("lost", "doubled", "stuck", "wrong_position")))
    table.add_row("other violations", _count(others), "turn, halt, deadline, evidence")
    missing = [bug.text for bug in BUGS if figures.hunts.get(bug.name) is None]
    table.add_row(
        "planted bugs caught", f"{figures.caught} of {len(figures.hunts)}", "; ".join(missing) and f"not: {'; '.join(missing)}"
    )
    table.add_row("naive control fails", f"{sum(figures.naive)} of {len(figures.naive)}", "scenarios that the product passes")
    _out.print(table)
    for found in figures.failed:
        _out.print(f"[red]✗[/] {found.task.replay()}", soft_wrap=True)
        _say(found.violations)
    _out.print("[bold green]What must hold holds.[/]" if figures.passed else "[bold red]Failed.[/]")


def _count(number: int) -> str:
    return "[green]0[/]" if number == 0 else f"[bold red]{number:,}[/]"


def _say(violations: Sequence[Violation]) -> None:
    for violation in violations:
        _out.print(f"    [red]{violation.kind}[/]: {violation.text}", soft_wrap=True)


# --- one scenario ---------------------------------------------------------------------------------------------------------------


def _replay(options: Namespace) -> int:
    task = Task(options.seed, options.strike)
    lines: list[str] = []
    violations = show(task, lines.append)
    if options.json:
        found = [violation._asdict() for violation in violations]
        _out.print_json(json.dumps({"seed": task.seed, "violations": found, "trace": lines if options.trace else []}))
        return 1 if violations else 0
    _describe(task.scenario())
    for line in lines if options.trace else ():
        style = "red" if "!!" in line else "dim" if " -> " in line else ""
        _out.print(line, style=style, markup=False, soft_wrap=True)
    _say(violations)
    _out.print("[green]Nothing is wrong with this scenario.[/]" if not violations else "[bold red]Failed.[/]")
    return 1 if violations else 0


def _more(signal: Signal) -> str:
    exits = {"take profit": signal.take_profit, "stop loss": signal.stop_loss, "only from": "/".join(signal.only_from)}
    told = [f"{name} {value}" for name, value in exits.items() if value]
    return ", ".join(["", *told, *(["old and new size"] if signal.contracts else [])])


def _describe(scenario: Scenario) -> None:
    held = ", ".join(f"{account} {contract} {quantity:+d}" for (account, contract), quantity in scenario.held.items())
    _out.print(
        f"[bold]seed {scenario.seed}[/]: a venue that {scenario.venue}, gate {scenario.gate}; held: {held}", soft_wrap=True
    )
    for signal in scenario.signals:
        what = f"{signal.action} {signal.order_type} {signal.quantity} {signal.root} {signal.type} {signal.price or ''}".rstrip()
        target = "" if signal.target is None else f" to {signal.target:+d}"
        _out.print(
            f"  {signal.at:8.3f} s  {signal.source:<9} {'+'.join(signal.accounts)}  {what}{target}{_more(signal)}", soft_wrap=True
        )
    for halt in scenario.halts:
        _out.print(f"  {halt.at:8.3f} s  halt of {halt.scope}" + (f" until {halt.until:.0f} s" if halt.until else ""))
    for at, (account, contract) in scenario.by_hand:
        _out.print(f"  {at:8.3f} s  {account} {contract} is closed by hand")

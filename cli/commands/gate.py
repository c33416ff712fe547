"""check and test: the commands that CI runs, and a person before him."""

from typing import Annotated

import typer
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from cli import terminal
from cli.gate import Check, Result, checks, run_checks
from cli.places import Local
from cli.suites import Suite, run_suites

ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(rich_help_panel="Development")(check)
    app.command(rich_help_panel="Development", name="test", context_settings=ANY_ARGUMENTS)(run_tests)


def check() -> None:
    """Run the gate: format, lint, types, import contracts, synthesis with cdk-nag, cfn-lint."""
    wanted = checks()
    progress = Progress(wanted)
    with Live(get_renderable=progress.table, console=terminal.err, transient=False, refresh_per_second=8) as live:
        for result in run_checks(wanted, progress.start):
            progress.end(result)
        live.refresh()
    failed = progress.failed()
    for result in failed:
        terminal.err.rule(f"[red]{result.name}", align="left")
        terminal.err.print(result.output.rstrip(), markup=False, soft_wrap=True)
    if failed:
        terminal.err.rule(style="red")
        terminal.err.print(
            f"[bold red]{len(failed)} of {len(wanted)} checks failed:[/] {', '.join(result.name for result in failed)}"
        )
        raise typer.Exit(1)
    terminal.err.print("[bold green]All checks passed.[/]")


def run_tests(
    context: typer.Context,
    suite: Annotated[Suite | None, typer.Argument(help="One suite; all without it.", show_default=False)] = None,
) -> None:
    """Run the tests; what follows the suite goes to pytest, e.g. ./fillpath test unit -k lane."""
    local: Local = context.obj
    if not run_suites([suite] if suite else list(Suite), local, context.args):
        raise typer.Exit(1)


class Progress:
    """What is known of each check while they run."""

    def __init__(self, wanted: list[Check]) -> None:
        self._names = [check.name for check in wanted]
        self._running: set[str] = set()
        self._results: dict[str, Result] = {}
        self._spinner = Spinner("dots")

    def start(self, begun: Check) -> None:
        """A check has begun."""
        self._running.add(begun.name)

    def end(self, result: Result) -> None:
        """A check has ended."""
        self._results[result.name] = result

    def failed(self) -> list[Result]:
        """What did not pass."""
        return [result for result in self._results.values() if not result.passed]

    def table(self) -> Table:
        """One line per check, as it stands now."""
        table = Table.grid(padding=(0, 1))
        for name in self._names:
            result = self._results.get(name)
            if result is not None:
                table.add_row("[green]✓[/]" if result.passed else "[red]✗[/]", name, f"[dim]{result.seconds:.1f} s[/]")
            else:
                table.add_row(
                    self._spinner if name in self._running else " ", name if name in self._running else f"[dim]{name}[/]"
                )
        return table

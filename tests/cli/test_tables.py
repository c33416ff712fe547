"""Listings and facts: whatever the width of the terminal, nothing is cut and no word is broken."""

import io

import pytest
from rich.console import RenderableType

from cli.tables import Facts, Listing
from cli.terminal import Plain, console

ROW = ("X1Y2Z3", "12:30:15", "my-account", "ESZ6", "buy 1 stop 280 limit 280", "REJECTED\nout of hours")
NUMBERS = ("12", "1,000,082.50")
HEADINGS = ("Order", "Time", "Account", "Symbol", "Action", "State")
WIDTHS = range(20, 130)


def shown(what: RenderableType | str, width: int) -> str:
    file = io.StringIO()
    Plain(file=file, width=width).print(what)
    return file.getvalue()


def a_listing() -> Listing:
    listing = Listing(HEADINGS, numbers=("Filled", "Price"), whole=("Order", "Time"))
    listing.add_row(*ROW, *NUMBERS)
    return listing


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_of_a_listing_is_cut_or_broken_at_any_width(width: int) -> None:
    words = shown(a_listing(), width).split()
    for cell in (*HEADINGS, "Filled", "Price", *ROW, *NUMBERS):
        for word in cell.split():
            assert word in words


@pytest.mark.parametrize("width", [120, 100, 80])
def test_a_listing_that_fits_is_a_table_no_wider_than_the_terminal(width: int) -> None:
    lines = shown(a_listing(), width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[1].split() == [*HEADINGS, "Filled", "Price"]


@pytest.mark.parametrize("width", [70, 60, 40])
def test_a_listing_that_does_not_fit_has_a_block_for_each_row_with_what_is_not_empty(width: int) -> None:
    listing = a_listing()
    listing.add_row("A4B5C6", "12:30:16")
    lines = shown(listing, width).splitlines()
    assert "Action   buy 1 stop 280 limit 280" in lines
    assert "Price    1,000,082.50" in lines
    assert lines[-3:] == ["Order  A4B5C6", "Time   12:30:16", ""]


def test_numbers_stand_flush_right() -> None:
    listing = Listing(["Name"], numbers=["Amount"])
    listing.add_row("a", "1,000.00")
    listing.add_row("b", "2.50")
    assert [line.rstrip() for line in shown(listing, 80).splitlines()[3:5]] == [" a     1,000.00", " b         2.50"]


def test_markup_counts_for_nothing() -> None:
    listing = Listing(["Name", "State"])
    listing.add_row("a", "[bold red]halted[/]")
    assert "a     halted" in shown(listing, 20)


def test_a_long_value_is_wrapped_beside_its_name() -> None:
    facts = Facts()
    facts.add_row("Why", "the outcome of an earlier order of this lane is not known yet")
    assert [line.rstrip() for line in shown(facts, 40).splitlines()] == [
        "",
        " Why  the outcome of an earlier order of",
        "      this lane is not known yet",
        "",
    ]


def test_a_command_in_a_value_stays_whole_on_a_line_of_its_own() -> None:
    facts = Facts()
    facts.add_row("invalid_alert", "timestamp: is missing; let the arrival count: ./fillpath webhook set hook --time arrival")
    lines = shown(facts, 50).splitlines()
    assert lines[-2].strip() == "./fillpath webhook set hook --time arrival"


def test_a_message_is_wrapped_at_blanks_but_for_a_command_or_an_address() -> None:
    told = "Not all of it has ended yet, and this goes on: "
    assert max(map(len, shown(told + "wait for it", 30).splitlines())) <= 30
    for copied in ("./fillpath orders --limit 20", "http://127.0.0.1:8081/a/long/path"):
        assert shown(told + copied, 30) == f"{told}{copied}\n"


def test_a_pipe_has_no_width_unless_it_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    console(stderr=False).print(a_listing())
    assert "12:30:15  my-account  ESZ6    buy 1 stop 280 limit 280" in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "40")
    console(stderr=False).print(a_listing())
    assert "Action   buy 1 stop 280 limit 280" in capsys.readouterr().out


def test_a_rule_in_a_pipe_is_a_line_of_a_terminal_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    console(stderr=False).rule("unit", align="left")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("unit ─")
    assert len(line) == 80

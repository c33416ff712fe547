"""Listings and facts from which nothing is cut: cells come in, as wide a table as the terminal allows goes out.

A cell is wrapped at blanks only, and what has no blank (an id, a price, an address) stays whole. Where a listing does not fit so,
each of its rows is a block of names and values.
"""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Cell = str | Text

# Blocks are easier to read than a table whose cells are narrower than this, or so many lines high.
COMFORT = 10
HIGHEST = 4
# Between columns, beside one blank: two blanks are easier to read, one is better than no table.
PADDINGS = (1, 0)
COMMAND = "./fillpath "
# Wider than whatever is shown.
WIDE = 1_000_000


class Facts:
    """Names and values, one below the other. A command in a value stays whole, so that it can be copied."""

    def __init__(self, margin: int = 1) -> None:
        self._rows: list[tuple[str, Cell]] = []
        self._margin = margin

    def add_row(self, name: str, value: Cell) -> None:
        """One more, with markup."""
        self._rows.append((name, value))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names = [_text(console, name) for name, _ in self._rows]
        indent = self._margin + max((name.cell_len for name in names), default=0) + 2
        room = max(1, options.max_width - indent)
        if self._margin:
            yield Text()
        for name, (_, value) in zip(names, self._rows, strict=True):
            name.stylize("bold")
            begin = Text(" " * self._margin).append_text(name)
            for line in _lines(console, _text(console, value), room):
                begin.append(" " * (indent - begin.cell_len)).append_text(line)
                yield _overlong(begin)
                begin = Text()
        if self._margin:
            yield Text()


class Listing:
    """Rows below a heading. Columns in `numbers` come last, flush right; neither they nor those in `whole` are ever wrapped."""

    def __init__(self, columns: Sequence[str], numbers: Iterable[str] = (), whole: Iterable[str] = ()) -> None:
        self._numbers = tuple(numbers)
        self._headings = (*columns, *self._numbers)
        self._whole = {*self._numbers, *whole}
        self._rows: list[tuple[Cell, ...]] = []

    def add_row(self, *cells: Cell) -> None:
        """One more, with markup; cells that are left away stay empty."""
        self._rows.append((*cells, *[""] * (len(self._headings) - len(cells))))

    @property
    def row_count(self) -> int:
        """How many there are."""
        return len(self._rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        least, most = self._ranges(console, options)
        for padding in PADDINGS:
            frame = Measurement.get(console, options.update(width=WIDE), self._table(most, padding)).maximum - sum(most)
            widths = _allotted(least, most, options.max_width - frame)
            if widths is not None:
                yield self._table(widths, padding)
                return
        yield Text()
        for row in self._rows:
            yield self._block(console, row)
            yield Text()

    def _ranges(self, console: Console, options: ConsoleOptions) -> tuple[list[int], list[int]]:
        """The least width of each column, and the one at which nothing is wrapped."""
        wide = options.update(width=WIDE)
        least, most = [], []
        for number, heading in enumerate(self._headings):
            cells = [_text(console, cell) for cell in (heading, *(row[number] for row in self._rows))]
            ranges = [Measurement.get(console, wide, cell) for cell in cells]
            widest = max(each.maximum for each in ranges)
            word = max(each.minimum for each in ranges)
            most.append(widest)
            narrowest = min(widest, max(word, COMFORT, widest // HIGHEST))
            least.append(widest if heading in self._whole else narrowest)
        return least, most

    def _table(self, widths: Iterable[int], padding: int) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, padding, 0, 0))
        for heading, width in zip(self._headings, widths, strict=True):
            justify = "right" if heading in self._numbers else "left"
            table.add_column(heading, width=width, justify=justify)  # type: ignore[arg-type]  # it is one of the literals
        for row in self._rows:
            table.add_row(*row)
        return table

    def _block(self, console: Console, row: tuple[Cell, ...]) -> Facts:
        block = Facts(margin=0)
        for heading, cell in zip(self._headings, row, strict=True):
            if _text(console, cell).plain:
                block.add_row(heading, cell)
        return block


def _allotted(least: Sequence[int], most: Sequence[int], room: int) -> list[int] | None:
    """The widths that fit, the widest column giving way first; None where there is too little room."""
    widths = list(most)
    while sum(widths) > room:
        giving = [number for number, width in enumerate(widths) if width > least[number]]
        if not giving:
            return None
        widths[max(giving, key=lambda number: widths[number])] -= 1
    return widths


def _lines(console: Console, value: Text, room: int) -> Iterator[Text]:
    """The value in lines: wrapped at blanks, but for a command, which stays whole with what stands behind it."""
    for line in value.split("\n", allow_blank=True):
        begins = line.plain.find(COMMAND)
        parts = [line] if begins <= 0 or line.cell_len <= room else line.divide([begins])
        for part in parts:
            if COMMAND in part.plain:
                yield part
                continue
            word = Measurement.get(console, console.options.update(width=WIDE), part).minimum
            for wrapped in part.wrap(console, max(room, word)) or [part]:
                wrapped.rstrip()
                yield wrapped


def _text(console: Console, cell: Cell) -> Text:
    return console.render_str(cell, highlight=False) if isinstance(cell, str) else cell.copy()


def _overlong(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ignore"
    return line

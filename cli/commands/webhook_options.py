"""The options that set a webhook: what its alerts look like, where its orders go, what holds its entries back."""

from typing import Annotated

import typer

_MESSAGE = "What an alert looks like"
_LIMITS = "What holds entries back"

Label = Annotated[str | None, typer.Option(help="A name to call it by.", show_default=False)]
Gate = Annotated[
    str | None,
    typer.Option(metavar="ignore|reject|resync", help="If the strategy's position is not the account's.", show_default=False),
]
Routes = Annotated[
    list[str] | None,
    typer.Option("--route", metavar="ACCOUNT[:MULTIPLIER]", help="Where orders go; may be repeated.", show_default=False),
]
Wait = Annotated[
    str | None,
    typer.Option("--wait-s", metavar="SECONDS|none", help="How long a sender waits for the result, at most.", show_default=False),
]
SecretIn = Annotated[
    str | None,
    typer.Option(metavar="body|url", help="Where the secret stands.", show_default=False, rich_help_panel=_MESSAGE),
]
Time = Annotated[
    str | None,
    typer.Option(
        metavar="required|arrival",
        help="An alert counts from the time that it carries, or from its arrival.",
        show_default=False,
        rich_help_panel=_MESSAGE,
    ),
]
QuantityIs = Annotated[
    str | None,
    typer.Option(
        metavar="new_size|contracts",
        help="An opposite entry's quantity: the new position, or old plus new.",
        show_default=False,
        rich_help_panel=_MESSAGE,
    ),
]
SymbolMap = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|none", help='JSON from their symbols to ours: {"SPX500": "ES1!"}.', show_default=False,
        rich_help_panel=_MESSAGE,
    ),
]  # fmt: skip
Map = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="FILE|none",
        help="A JMESPath expression that makes any JSON a canonical alert.",
        show_default=False,
        rich_help_panel=_MESSAGE,
    ),
]
Sample = Annotated[
    str | None,
    typer.Option(metavar="FILE|none", help="A message to try --map on.", show_default=False, rich_help_panel=_MESSAGE),
]
Limit = Annotated[
    str | None,
    typer.Option("--daily-limit", metavar="N|none", help="Entries a day.", show_default=False, rich_help_panel=_LIMITS),
]
Symbols = Annotated[
    str | None,
    typer.Option(metavar="ES,NQ|all", help="Roots that entries may trade.", show_default=False, rich_help_panel=_LIMITS),
]
Windows = Annotated[
    list[str] | None,
    typer.Option(
        "--window",
        metavar="TEXT|none",
        help='When entries are taken, such as "Mon-Fri 09:30-16:00 America/New_York"; may be repeated.',
        show_default=False,
        rich_help_panel=_LIMITS,
    ),
]
Cooldown = Annotated[
    str | None,
    typer.Option(
        metavar="SECONDS|none", help="Between two entries of one instrument.", show_default=False, rich_help_panel=_LIMITS
    ),
]
EntryStaleness = Annotated[
    str | None,
    typer.Option(metavar="SECONDS", help="How old an entry may be; at first 30.", show_default=False, rich_help_panel=_LIMITS),
]
ReductionStaleness = Annotated[
    str | None,
    typer.Option(
        metavar="SECONDS", help="How old what reduces may be; at first 300.", show_default=False, rich_help_panel=_LIMITS
    ),
]

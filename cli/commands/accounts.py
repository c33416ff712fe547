"""account add, set, list and scenario; account_access has those about getting in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from cli import terminal
from cli.commands import account_access
from cli.commands.options import Env, Json, target_of
from cli.means import means_of
from cli.problem import NOTHING_KEPT, Problem

group = typer.Typer(name="account", help="Trading accounts, each at one venue.", no_args_is_help=True)

Meant = Annotated[str, typer.Argument(metavar="ID", help="Id, end of id or label.")]
Label = Annotated[str | None, typer.Option(help="A name to call it by.", show_default=False)]
Terms = Annotated[
    bool | None, typer.Option("--terms/--no-terms", help="Whether its terms are accepted; entries need it.", show_default=False)
]
Symbols = Annotated[
    str | None, typer.Option(metavar="ES,NQ|all", help="What entries may trade; all unless told.", show_default=False)
]
Roll = Annotated[
    str | None,
    typer.Option(
        metavar="days:8|venue",
        help="When a continuous symbol goes on to the next contract: days before its last day, or as the venue says.",
        show_default=False,
    ),
]
OneOrderFlip = Annotated[
    bool | None,
    typer.Option(
        "--one-order-flip/--two-order-flip",
        help="Whether a reversal goes through zero with one order, where the venue can; else it closes first.",
        show_default=False,
    ),
]
Outside = Annotated[
    str | None,
    typer.Option(
        "--outside-hours",
        metavar="refuse|queue",
        help="What becomes of a market order while its market is closed, where the venue would keep it until the open.",
        show_default=False,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A setting of its connection, such as account=ID; without a value: none.",
        show_default=False,
    ),
]
_CHANGES = (
    "--label NAME, --terms, --no-terms, --symbols ES,NQ, --roll days:8, --one-order-flip, --two-order-flip, "
    "--outside-hours queue, or --set KEY=VALUE"
)
Live = Annotated[bool, typer.Option("--live", help="Yes, it may trade real money; without it you are asked.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    account_access.register(group)
    app.add_typer(group, rich_help_panel="Accounts")


@group.command()
def add(
    context: typer.Context,
    venue: Annotated[str, typer.Argument(help="paper, alpaca, ...")],
    *,
    label: Label = None,
    user: Annotated[str | None, typer.Option(help="Whose it is; the first user unless told.", show_default=False)] = None,
    terms: Terms = None,
    symbols: Symbols = None,
    endpoint: account_access.Endpoint = None,
    settings: Set = None,
    credentials: account_access.CredentialsFrom = None,
    live: Live = False,
    roll: Roll = None,
    one_order_flip: OneOrderFlip = None,
    outside_hours: Outside = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Add an account at a venue, which asks for its credentials and tries them. Entries need its terms accepted: --terms."""
    from cli.account_settings import Options
    from cli.account_view import set_words, tell
    from cli.admission import Typed, enter, keep
    from cli.directory import Directory
    from cli.labels import free_label, require_free_label
    from fillpath.accounts.model import Account
    from fillpath.ids import new_id

    means = means_of(context)
    options = Options(label, terms, symbols, roll, one_order_flip, outside_hours)
    typed = Typed(endpoint, tuple(settings or ()), credentials, live=live, outside_hours_told=outside_hours is not None)
    changes = options.changes(means.venues, venue)
    target = target_of(context, env)
    directory = Directory(target.accounts)
    others = directory.accounts()
    require_free_label("an account", changes.get("label"), others)
    now = datetime.now(UTC)
    account = Account(
        account_id=new_id(now),
        user_id=directory.user(user).user_id,
        venue=venue,
        label=free_label(venue, [each.label for each in others]),
        created_at=now,
    ).model_copy(update=changes)
    if means.venues.capabilities(venue).credentials_required:
        with terminal.unless_left(NOTHING_KEPT):
            proven = enter(account, typed, target, means.person)
        account = keep(proven, target, new=True)
    else:
        typed.require_nothing(means.venues.name(venue))
        target.accounts.save(account)
    said = set_words(account, ("terms_accepted_at", "symbols"))
    tell(account, f"added: {account.account_id}, {said}", means.venues, as_json=as_json)


@group.command("set")
def change(
    context: typer.Context,
    account: Meant,
    *,
    label: Label = None,
    terms: Terms = None,
    symbols: Symbols = None,
    settings: Set = None,
    live: Live = False,
    force: account_access.Force = False,
    roll: Roll = None,
    one_order_flip: OneOrderFlip = None,
    outside_hours: Outside = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Change what an account is called, whether its terms are accepted, what its entries may trade, or how it trades."""
    from cli.account_settings import Options
    from cli.account_view import set_words, tell
    from cli.admission import Typed, reconnected
    from cli.directory import Directory
    from cli.labels import require_free_label

    options = Options(label, terms, symbols, roll, one_order_flip, outside_hours)
    if options == Options() and not settings:
        raise Problem("nothing to change was given", hint=_CHANGES)
    means, target = means_of(context), target_of(context, env)
    directory = Directory(target.accounts)
    found = directory.account(account)
    changes = options.changes(means.venues, found.venue)
    others = [each for each in directory.accounts() if each.account_id != found.account_id]
    require_free_label("an account", changes.get("label"), others)
    changed = found.model_copy(update=changes)
    if settings:
        typed = Typed(None, tuple(settings), None, live=live, outside_hours_told=True, force=force)
        with terminal.unless_left(NOTHING_KEPT):
            changed = reconnected(changed, typed, means, target)
    target.accounts.save(changed)
    keys = [text.partition("=")[0].strip() for text in settings or ()]
    tell(changed, f"changed: {set_words(changed, changes, keys)}", means.venues, as_json=as_json)
    if settings:
        terminal.err.print("[dim]Every process goes by it within a minute.[/]")


@group.command("list")
def show(context: typer.Context, *, env: Env = None, as_json: Json = False) -> None:
    """Show all accounts, and how it stands with their access."""
    from cli.account_view import access_text, entries_text, record_of, venue_text
    from cli.directory import Directory, short
    from cli.scenarios import scenario_of

    venues, target = means_of(context).venues, target_of(context, env)
    directory = Directory(target.accounts)
    accounts = directory.accounts()
    scenarios = {account.account_id: scenario_of(account, target) for account in accounts}
    if as_json:
        terminal.print_json([record_of(account, venues, scenarios[account.account_id]) for account in accounts])
        return
    owners = {user.user_id: user.email for user in directory.users()}
    # Whose they are is a question only where there are several; the width of a terminal is little.
    several = ["Owner"] if len(owners) > 1 else []
    table = terminal.listing("Account", "Label", "Venue", "Access", "Entries", *several, whole=("Account", "Access"))
    for account in accounts:
        table.add_row(
            short(account.account_id),
            escape(account.label),
            venue_text(account, scenarios[account.account_id]),
            access_text(account, venues, datetime.now(UTC)),
            entries_text(account, target.controls.halted(account.user_id, account.account_id)),
            *([escape(owners.get(account.user_id, ""))] if several else []),
        )
    terminal.out.print(table)


@group.command()
def scenario(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id, end of id or label.")],
    name: Annotated[str, typer.Argument(help="normal, delay, partial_fill, never_fill, reject, timeout or crash.")],
    settings: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", show_default=False)] = None,
    *,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Make a paper account do something out of the ordinary with its next orders, e.g. never_fill or crash=before."""
    from cli.account_view import scenario_words
    from cli.directory import Directory
    from fillpath_brokers.exchange import scenario as scenarios
    from fillpath_brokers.paper.venue import PaperBroker

    wanted = scenarios.parse(name, _settings(settings or ()))
    target = target_of(context, env)
    found = Directory(target.accounts).account(account)
    broker = target.broker(found)
    if not isinstance(broker, PaperBroker):
        raise Problem(f"account {found.label} is at {broker.name}: only paper accounts have scenarios")
    broker.set_scenario(wanted)
    if as_json:
        terminal.print_json({"account_id": found.account_id, "scenario": wanted.to_document()})
        return
    terminal.out.print(f"Account {escape(found.label)}: scenario [bold]{escape(scenario_words(wanted))}[/]")
    if wanted.name != "normal":
        terminal.hint("Back to normal:", f"./fillpath account scenario {found.typed} normal")


def _settings(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not equals:
            raise Problem(f"{key!r} is not KEY=VALUE", hint="such as seconds=5")
    return {key: value for key, _, value in pairs}

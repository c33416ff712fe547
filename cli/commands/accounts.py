"""account add, set, list and scenario."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.problem import Problem

if TYPE_CHECKING:
    from fillpath.accounts.model import Account

group = typer.Typer(name="account", help="Trading accounts, each at one venue.", no_args_is_help=True)

Meant = Annotated[str, typer.Argument(metavar="ID", help="Id, end of id or label.")]
Label = Annotated[str | None, typer.Option(help="A name to call it by.", show_default=False)]
Terms = Annotated[
    bool | None, typer.Option("--terms/--no-terms", help="Whether its terms are accepted; entries need it.", show_default=False)
]
Symbols = Annotated[
    str | None, typer.Option(metavar="ES,NQ|all", help="What entries may trade; all unless told.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(group, rich_help_panel="Accounts")


@group.command()
def add(
    context: typer.Context,
    venue: Annotated[str, typer.Argument(help="paper, ...")],
    *,
    label: Label = None,
    user: Annotated[str | None, typer.Option(help="Whose it is; the first user unless told.", show_default=False)] = None,
    terms: Terms = None,
    symbols: Symbols = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Add an account at a venue. Before it can enter positions its terms must be accepted: --terms."""
    from cli.directory import Directory, free_label
    from fillpath.accounts.model import Account
    from fillpath.ids import new_id
    from fillpath_brokers import registry

    registry.capabilities(venue)
    target = target_of(context, env)
    directory = Directory(target.accounts)
    owner = directory.user(user)
    now = datetime.now(UTC)
    account = Account(
        account_id=new_id(now),
        user_id=owner.user_id,
        venue=venue,
        label=label or free_label(venue, [each.label for each in directory.accounts()]),
        created_at=now,
    ).model_copy(update=_update(None, terms, symbols))
    target.accounts.save(account)
    _tell(account, "added", as_json=as_json)


@group.command("set")
def change(
    context: typer.Context,
    account: Meant,
    *,
    label: Label = None,
    terms: Terms = None,
    symbols: Symbols = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Change what an account is called, whether its terms are accepted, or what its entries may trade."""
    from cli.directory import Directory

    update = _update(label, terms, symbols)
    if not update:
        raise Problem("nothing to change was given", hint="--terms, --no-terms, --symbols ES,NQ or --label NAME")
    target = target_of(context, env)
    changed = Directory(target.accounts).account(account).model_copy(update=update)
    target.accounts.save(changed)
    _tell(changed, "changed", as_json=as_json)


@group.command("list")
def show(context: typer.Context, *, env: Env = None, as_json: Json = False) -> None:
    """Show all accounts."""
    from cli.directory import Directory, short

    target = target_of(context, env)
    directory = Directory(target.accounts)
    accounts = directory.accounts()
    if as_json:
        terminal.print_json([account.model_dump(mode="json") for account in accounts])
        return
    owners = {user.user_id: user.email for user in directory.users()}
    table = terminal.listing("Account", "Label", "Venue", "Owner", "Entries")
    for account in accounts:
        halted = target.controls.halted(account.user_id, account.account_id)
        table.add_row(
            short(account.account_id),
            escape(account.label),
            account.venue,
            escape(owners.get(account.user_id, "")),
            f"[red]halted ({halted.scope.partition(':')[0]})[/]" if halted else _entries(account),
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
    from cli.directory import Directory
    from fillpath_brokers.paper import scenario as scenarios
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
    told = " ".join(f"{key}={value}" for key, value in wanted.settings.items())
    terminal.out.print(f"Account {escape(found.label)}: scenario [bold]{wanted.name}[/] {escape(told)}".rstrip())
    if wanted.name != "normal":
        terminal.err.print(terminal.pasteable(f"[dim]Back to normal:[/] ./fillpath account scenario {account} normal"))


def _update(label: str | None, terms: bool | None, symbols: str | None) -> dict[str, Any]:
    update: dict[str, Any] = {} if label is None else {"label": label}
    if terms is not None:
        update["terms_accepted_at"] = datetime.now(UTC) if terms else None
    return update if symbols is None else update | {"symbols": _roots(symbols)}


def _roots(text: str) -> tuple[str, ...]:
    from fillpath.market.instruments import resolve

    if text.strip().lower() == "all":
        return ()
    today = datetime.now(UTC).date()
    return tuple(dict.fromkeys(resolve(symbol, today).instrument.root for symbol in text.split(",")))


def _settings(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not equals:
            raise Problem(f"{key!r} is not KEY=VALUE", hint="such as seconds=5")
    return {key: value for key, _, value in pairs}


def _entries(account: "Account") -> str:
    if account.terms_accepted_at is None:
        return "[yellow]terms not accepted[/]"
    return ", ".join(account.symbols) or "all symbols"


def _tell(account: "Account", done: str, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(account.model_dump(mode="json"))
        return
    name = escape(account.label)
    terminal.out.print(f"Account {name} at {account.venue} {done}: {account.account_id}, entries: {_entries(account)}")
    if account.terms_accepted_at is None:
        terminal.err.print(
            terminal.pasteable(f"[dim]To let it enter positions:[/] ./fillpath account set {account.account_id} --terms")
        )

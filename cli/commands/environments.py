"""deploy, diff and destroy: the environments on AWS."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import terminal
from cli.cdk import cdk, context
from cli.confirmation import confirm
from cli.means import means_of

if TYPE_CHECKING:
    import boto3

    from cli.environments import Account, Concurrency

Name = Annotated[str, typer.Argument(metavar="ENV", help="dev, staging or prod.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (deploy, diff, destroy):
        app.command(rich_help_panel="AWS")(command)


def deploy(env: Name, *, yes: Yes = False) -> None:
    """Deploy an environment to your AWS account; the CDK asks before it widens permissions."""
    from cli.environments import concurrency_of, is_bootstrapped

    session, account = _sign_in(env)
    concurrency = concurrency_of(session, env)
    _explain(concurrency)
    if not is_bootstrapped(session):
        terminal.err.print(f"First use of the CDK in {account.region}: its bucket and roles are made now.")
        cdk("bootstrap", f"aws://{account.account_id}/{account.region}", *context({"env": env}), region=account.region)
    approval = "never" if yes else "broadening"
    cdk("deploy", "--all", "--require-approval", approval, *_context(env, concurrency), region=account.region)


def diff(env: Name) -> None:
    """Show what a deployment would change."""
    from cli.environments import concurrency_of

    session, account = _sign_in(env)
    cdk("diff", *_context(env, concurrency_of(session, env)), region=account.region)


def destroy(command: typer.Context, env: Name, *, yes: Yes = False) -> None:
    """Delete an environment. Outside local its tables, queues and keys are protected and refuse this."""
    _, account = _sign_in(env)
    if not yes:
        question = f"This deletes {env} in account {account.account_id}. Type its name to go on: "
        confirm(means_of(command).person, question, env, "nothing was deleted")
    cdk("destroy", "--all", "--force", *context({"env": env}), region=account.region)


def _sign_in(env: str) -> "tuple[boto3.Session, Account]":
    from cli.environments import account_of, require_environment
    from cli.sessions import own_session

    require_environment(env)
    session = own_session()
    account = account_of(session)
    terminal.err.print(f"[bold]{env}[/] in account {account.account_id}, {account.region}, as [dim]{account.identity}[/]")
    return session, account


def _explain(concurrency: "Concurrency") -> None:
    settings = concurrency.settings()
    share = settings.get("webhook_reserved_concurrency")
    if share is None:
        terminal.err.print(
            f"[yellow]The account can run {concurrency.limit} functions at once, too few to let webhooks wait for a fill:[/] "
            "alerts are answered at once with 202 and the place to look (wait_s 0). "
            "Ask AWS for a higher Lambda concurrency, which is free, then deploy again."
        )
    else:
        terminal.err.print(f"Webhooks may take {share} of {concurrency.limit} concurrent executions; the rest stays for orders.")


def _context(env: str, concurrency: "Concurrency") -> list[str]:
    return context({"env": env, **concurrency.settings()})

"""What commands meet outside beside AWS: the venues that there are, and the person at the keyboard. Given when they are run."""

import sys
from dataclasses import dataclass, field
from getpass import getpass
from typing import TYPE_CHECKING, Protocol, cast

import typer

from cli import terminal
from fillpath.accounts.capabilities import Capabilities
from fillpath_brokers import registry

if TYPE_CHECKING:
    from fillpath_brokers.facade import Broker
    from fillpath_brokers.services import Services
    from fillpath_brokers.signing_in import SignIn

_KEY = "fillpath.means"


class Venues(Protocol):
    """The venues by key; Unsupported where there is none. The registry knows them."""

    def capabilities(self, key: str) -> Capabilities:
        """What the venue can do."""
        ...

    def name(self, key: str) -> str:
        """The venue's name for people."""
        ...

    def sign_in(self, key: str) -> "SignIn":
        """How accounts get in."""
        ...

    def open_account(self, key: str, account_id: str, services: "Services") -> "Broker":
        """The account at its venue."""
        ...


class Person(Protocol):
    """Who typed the command, if it was a person."""

    @property
    def is_there(self) -> bool:
        """Whether questions can be answered: not in a script."""
        ...

    def ask(self, question: str) -> str:
        """What is typed; EOFError where the input ends."""
        ...

    def ask_secret(self, question: str) -> str:
        """The same, unseen."""
        ...

    def handed_over(self) -> str:
        """All of standard input, for `-` in place of a file."""
        ...


class AtTheTerminal:
    """Person at this process's terminal."""

    @property
    def is_there(self) -> bool:
        """Whether standard input is a terminal."""
        return sys.stdin.isatty()

    def ask(self, question: str) -> str:
        """What is typed, seen."""
        return terminal.ask(question)

    def ask_secret(self, question: str) -> str:
        """What is typed, unseen."""
        return terminal.ask(question, read=lambda: getpass(""))

    def handed_over(self) -> str:
        """All of standard input."""
        return sys.stdin.read()


@dataclass(frozen=True)
class Means:
    """What a command is run with."""

    venues: Venues = registry
    person: Person = field(default_factory=AtTheTerminal)


def keep_means(context: typer.Context) -> None:
    """For all commands below this context, what the program was run with."""
    context.meta[_KEY] = context.obj


def means_of(context: typer.Context) -> Means:
    """What the program was run with."""
    return cast(Means, context.meta[_KEY])

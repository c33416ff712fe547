"""The desk at which accounts at the toy venue are looked after: a person or a script types, and what is kept is seen."""

import json
from pathlib import Path
from typing import Any

from cli.means import Means
from fillpath.accounts.model import Account
from fillpath_aws.access_vault import SecretsManagerAccessVault
from fillpath_aws.token_ledger import DynamoTokenLedger
from tests.cli.local_stack import Ran, Stack
from tests.cli.toy_venue import PASSWORD, USER, Absent, Answering, Toy, ToyVenues
from tests.contract.moto import Moto

ENTERED = {"user": USER, "password": PASSWORD}
SECRETS = (USER, PASSWORD, "t0ken-1", "r3fresh-1", "c0de@")


class Desk:
    """The commands, the toy venue, and what is kept."""

    def __init__(self, stack: Stack, moto: Moto, folder: Path) -> None:
        self.stack = stack
        self.moto = moto
        self.toy = Toy()
        self.folder = folder
        self.vault = SecretsManagerAccessVault(moto.secrets_manager, "fillpath/test/broker")
        self.ledger = DynamoTokenLedger(moto.dynamodb, "fleet")
        self.shown = ""

    def types(self, *arguments: str, answers: tuple[str, ...] = ()) -> tuple[Ran, Answering]:
        """A person types a command and answers its questions."""
        person = Answering(*answers)
        return self._run(person, arguments), person

    def scripted(self, *arguments: str, pipe: object = ENTERED) -> Ran:
        """A script runs a command; `pipe` stands on its standard input, as JSON unless it is text."""
        return self._run(Absent(pipe if isinstance(pipe, str) else json.dumps(pipe)), arguments)

    def added(self, *arguments: str) -> Account:
        """A toy account."""
        ran = self.scripted("account", "add", "toy", "--credentials", "-", "--terms", *arguments, "--json")
        assert ran.code == 0, ran.err
        return self.stack.target.accounts.account(ran.json["account_id"])

    def kept(self) -> list[str]:
        """Names of secrets, and toy accounts."""
        names = [each["Name"] for each in self.moto.secrets_manager.call("ListSecrets", {})["SecretList"]]
        toys = [account.account_id for account in self.stack.directory.accounts() if account.venue == "toy"]
        return [name for name in names if "broker" in name] + toys

    def _run(self, person: Any, arguments: tuple[str, ...]) -> Ran:
        self.stack.means = Means(ToyVenues(self.toy), person)
        ran = self.stack.run(*arguments)
        self.shown += ran.out + ran.err
        return ran

"""Scenarios of paper accounts: an account comes in, how it misbehaves now goes out."""

from cli.target import Target
from fillpath.accounts.model import Account
from fillpath_brokers.exchange.scenario import NORMAL, Scenario
from fillpath_brokers.paper.capabilities import KEY
from fillpath_brokers.paper.documents import read_book


def scenario_of(account: Account, target: Target) -> Scenario | None:
    """What its exchange does out of the ordinary; None where it does nothing of the kind."""
    stored = target.services.paper_books.load(account.account_id)[0] if account.venue == KEY else None
    scenario = NORMAL if stored is None else read_book(stored).scenario
    return None if scenario == NORMAL else scenario

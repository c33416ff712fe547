"""Labels as people give them to accounts and webhooks: a text as typed comes in, a label that names one alone goes out."""

import re
import shlex
import unicodedata
from collections.abc import Iterable
from itertools import chain, count

from cli.directory import short
from cli.problem import Problem
from fillpath.accounts.model import Account, Webhook

# Longer ones leave no room for anything else in a listing.
LONGEST = 32


def clean_label(text: str) -> str:
    """The text without blanks around it; raises Problem for what is no label."""
    label = text.strip()
    if not label:
        raise Problem("--label: it is empty", hint="a name to call it by, such as main")
    if hidden := next((letter for letter in label if unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029"), None):
        raise Problem(f"--label: {hidden!r} cannot be in a label", hint="one line of letters that can be seen, such as main")
    if len(label) > LONGEST:
        raise Problem(f"--label: it has {len(label)} characters", hint=f"at most {LONGEST}")
    return label


def free_label(wanted: str, taken: Iterable[str]) -> str:
    """The label, or with the first number that makes it one of its own."""
    known = {label.casefold() for label in taken}
    numbered = (f"{wanted}-{n}" for n in count(2))
    return next(label for label in chain([wanted], numbered) if label.casefold() not in known)


def require_free_label(kind: str, label: str | None, others: Iterable[Account] | Iterable[Webhook]) -> None:
    """Raises Problem where one of the others is called so."""
    for other in others:
        if label is not None and other.label.casefold() == label.casefold():
            record_id = other.account_id if isinstance(other, Account) else other.webhook_id
            raise Problem(f"--label: there is {kind} {other.label} already, {short(record_id)}", hint="another label")


def with_account(text: str, account: Account) -> str:
    """The text with commands for an account as they are to be typed for this one."""
    named = re.sub(r"(\./fillpath account [a-z-]+) ID\b", lambda found: f"{found[1]} {account.typed}", text)
    return named.replace(f" {account.account_id}", f" {account.typed}")


def with_webhook(text: str, label: str) -> str:
    """The text with commands for a webhook as they are to be typed for this one."""
    typed = shlex.quote(label)
    named = re.sub(r"(\./fillpath webhook set) --", lambda found: f"{found[1]} {typed} --", text)
    return named.replace("./fillpath webhook show shows", f"./fillpath webhook show {typed} shows")

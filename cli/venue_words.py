"""What a venue said, for a person: an error of the broker facade comes in, its text goes out."""

import re

from cli.labels import with_account
from fillpath.accounts.model import Account
from fillpath.errors import FillpathError

_MARKUP = re.compile(r"<(?:[a-z]|[/?!])[^<>]*(?:>|$)", re.IGNORECASE)


def told(error: FillpathError, account: Account) -> str:
    """Without the markup of a web page, and with commands as they are to be typed for this account."""
    return with_account(plain(str(error)), account)


def plain(text: str) -> str:
    """The words of a page, or a text that is none as it is."""
    return re.sub(r"\s+", " ", _MARKUP.sub(" ", text)).strip() if _MARKUP.search(text) else text

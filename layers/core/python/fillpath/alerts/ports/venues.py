"""Venues: what each venue can do, without talking to it."""

from typing import Protocol

from fillpath.accounts.capabilities import Capabilities


class Venues(Protocol):
    """The registry as the webhook sees it."""

    def capabilities(self, key: str) -> Capabilities:
        """The venue's abilities; Unsupported if there is no such venue."""
        ...

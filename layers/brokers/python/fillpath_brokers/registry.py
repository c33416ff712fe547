"""The registry: finds a venue by its folder, so that adding one edits no other file.

A venue is a package `fillpath_brokers.<key>` with `capabilities.py` (`NAME`, `CAPABILITIES`; nothing heavy, the webhook imports
it) and `venue.py` (`open_account(account_id, services) -> Broker`). Folders that begin with an underscore are no venues.
"""

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast

import fillpath_brokers
from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import Unsupported

if TYPE_CHECKING:
    from fillpath_brokers.facade import Broker
    from fillpath_brokers.services import Services


def venues() -> tuple[str, ...]:
    """The keys of all venues, sorted."""
    found = pkgutil.iter_modules(fillpath_brokers.__path__)
    return tuple(sorted(module.name for module in found if module.ispkg and not module.name.startswith("_")))


@cache
def capabilities(key: str) -> Capabilities:
    """What the venue can do, without loading what it does it with; Unsupported if there is no such venue."""
    return cast(Capabilities, _module(key, "capabilities").CAPABILITIES)


def name(key: str) -> str:
    """The venue's name for people; Unsupported if there is no such venue."""
    return cast(str, _module(key, "capabilities").NAME)


def open_account(key: str, account_id: str, services: "Services") -> "Broker":
    """The account at its venue; Unsupported if there is no such venue."""
    return cast("Broker", _module(key, "venue").open_account(account_id, services))


def _module(key: str, concern: str) -> ModuleType:
    module = f"fillpath_brokers.{key}.{concern}"
    if key.isidentifier() and not key.startswith("_"):
        try:
            return import_module(module)
        except ModuleNotFoundError as exc:
            if exc.name not in (f"fillpath_brokers.{key}", module):
                raise
    raise Unsupported(f"there is no venue {key!r}; known are: {', '.join(venues())}")

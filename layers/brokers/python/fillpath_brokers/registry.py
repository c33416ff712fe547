"""The registry: finds a venue by its folder, so that adding one edits no other file.

A venue is a package `fillpath_brokers.<key>` with `capabilities.py` (`NAME`, `CAPABILITIES`; nothing heavy, the webhook imports
it) and `venue.py` (`open_account(account_id, services) -> Broker`). A package without capabilities is no venue, nor is one that
begins with an underscore.
"""

import pkgutil
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

import fillpath_brokers
from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import Unsupported

if TYPE_CHECKING:
    from fillpath_brokers.facade import Broker
    from fillpath_brokers.services import Services
    from fillpath_brokers.signing_in import SignIn


def venues() -> tuple[str, ...]:
    """The keys of all venues, sorted."""
    found = pkgutil.iter_modules(fillpath_brokers.__path__)
    return tuple(sorted(module.name for module in found if module.ispkg and _is_venue(module.name)))


@cache
def capabilities(key: str) -> Capabilities:
    """What the venue can do, without loading what it does it with; Unsupported if there is no such venue."""
    return cast(Capabilities, _module(key, "capabilities").CAPABILITIES)


def name(key: str) -> str:
    """The venue's name for people; Unsupported if there is no such venue."""
    return cast(str, _module(key, "capabilities").NAME)


def sign_in(key: str) -> "SignIn":
    """How accounts get into the venue; Unsupported if there is no such venue, or nobody needs to sign in there."""
    if not capabilities(key).credentials_required:
        raise Unsupported(f"nobody signs in at {name(key)}")
    return cast("SignIn", _module(key, "sign_in").SIGN_IN)


def open_account(key: str, account_id: str, services: "Services") -> "Broker":
    """The account at its venue; Unsupported if there is no such venue."""
    return cast("Broker", _module(key, "venue").open_account(account_id, services))


def _is_venue(package: str) -> bool:
    """Looks into its folder, so that no package is loaded for the question."""
    folders = [str(Path(path, package)) for path in fillpath_brokers.__path__]
    concern = f"fillpath_brokers.{package}.capabilities"
    return not package.startswith("_") and PathFinder.find_spec(concern, folders) is not None


def _module(key: str, concern: str) -> ModuleType:
    module = f"fillpath_brokers.{key}.{concern}"
    if key.isidentifier() and not key.startswith("_"):
        try:
            return import_module(module)
        except ModuleNotFoundError as exc:
            if exc.name not in (f"fillpath_brokers.{key}", module):
                raise
    raise Unsupported(f"there is no venue {key!r}; known are: {', '.join(venues())}")

"""The inbox as a person asks for it: an id or the end of one comes in, the alerts that are meant go out."""

from collections.abc import Iterable

from cli.directory import ID_LENGTH, SHORTEST_END, known_are, short
from cli.problem import Problem
from fillpath.accounts.model import User
from fillpath.alerts.ports.alert_store import InboxEntry
from fillpath.alerts.ports.inbox import Inbox
from fillpath.errors import NotFound

# How far back the end of an id, or a refusal, is looked for.
ALERTS_SEARCHED = 500


def newest_alerts(inbox: Inbox, users: Iterable[User], limit: int, *, refused_only: bool = False) -> tuple[InboxEntry, ...]:
    """The newest alerts of these users, the newest first."""
    most = ALERTS_SEARCHED if refused_only else limit
    found = [entry for user in users for entry in inbox.newest(user.user_id, most)]
    wanted = [entry for entry in found if not refused_only or entry.code != "accepted"]
    return tuple(sorted(wanted, key=lambda entry: entry.alert_id, reverse=True)[:limit])


def find_alert(inbox: Inbox, users: Iterable[User], meant: str) -> InboxEntry:
    """By id or end of id; raises Problem."""
    every = tuple(users)
    if len(meant) == ID_LENGTH:
        return _by_id(inbox, every, meant.upper())
    newest = newest_alerts(inbox, every, ALERTS_SEARCHED) if len(meant) >= SHORTEST_END else ()
    found = [entry for entry in newest if entry.alert_id.endswith(meant.upper())]
    if len(found) > 1:
        raise Problem(f"{len(found)} alerts are called {meant}", hint="give more of the id; ./fillpath alerts shows the newest")
    if not found:
        hint = known_are([short(entry.alert_id) for entry in newest], "./fillpath alerts")
        raise Problem(f"there is no alert {meant}", hint=hint if newest else "./fillpath alerts shows the newest")
    return found[0]


def _by_id(inbox: Inbox, users: tuple[User, ...], alert_id: str) -> InboxEntry:
    for user in users:
        try:
            return inbox.get(user.user_id, alert_id)
        except NotFound:
            continue
    raise Problem(f"there is no alert {alert_id}", hint="./fillpath alerts shows the newest; they are kept for 30 days")

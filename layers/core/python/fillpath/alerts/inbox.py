"""The inbox entry of a hit in the making: it knows which layer is deciding, and no text of it shows a secret."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from fillpath.alerts.case import Case, Hit, Sender
from fillpath.alerts.masking import masked, scrubbed
from fillpath.alerts.ports.alert_store import AlertStore, InboxEntry
from fillpath.errors import Refused, StorageUnavailable
from fillpath.ids import new_id

_log = logging.getLogger(__name__)
_HIDDEN = {"secret", "token"}


class Entry:
    """What is kept of one hit on a known token; `layer` is the one that is deciding."""

    def __init__(self, hit: Hit, sender: Sender) -> None:
        self.alert_id = new_id(hit.received_at)
        self.layer = "parse"
        self._hit = hit
        self._sender = sender
        self._secrets = (sender.access.token, sender.access.secret)
        self._case: Case | None = None

    def understood(self, case: Case) -> None:
        """Keep what the message means as well."""
        self._case = case

    def without_secrets(self, refusal: Refused) -> Refused:
        """The refusal as it may be told."""
        details = self._scrubbed(refusal.details)
        return type(refusal)(refusal.code, scrubbed(refusal.message, self._secrets), details)

    def record(
        self, code: str, reason: str = "", details: Mapping[str, Any] | None = None, order_ids: tuple[str, ...] = ()
    ) -> InboxEntry:
        """The entry as it stands."""
        owner, case = self._sender.owner, self._case
        return InboxEntry(
            alert_id=self.alert_id,
            user_id=owner.user_id,
            webhook_id=owner.webhook_id,
            received_at=self._hit.received_at,
            code=code,
            layer=self.layer,
            reason=reason,
            body=masked(self._hit.body, self._secrets),
            order_ids=order_ids,
            details=dict(details or {}),
            dialect=case.understood.dialect.name if case else "",
            canonical=self._scrubbed(canonical_form(case)) if case else {},
        )

    def keep(self, entry: InboxEntry, alerts: AlertStore) -> None:
        """Write a refusal, which stands whether or not it can be kept."""
        try:
            alerts.record(entry)
        except StorageUnavailable:
            _log.warning("alert %s was refused (%s) and could not be kept in the inbox", entry.alert_id, entry.code)

    def _scrubbed(self, content: Mapping[str, Any]) -> dict[str, Any]:
        text = json.dumps(content, default=str)
        scrubbed_content: dict[str, Any] = json.loads(scrubbed(text, self._secrets))
        return scrubbed_content


def canonical_form(case: Case) -> dict[str, Any]:
    """What the message means, field by field, without its secret; numbers as text."""
    return case.alert.model_dump(mode="json", exclude=_HIDDEN, exclude_none=True)

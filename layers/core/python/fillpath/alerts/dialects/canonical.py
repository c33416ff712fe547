"""The canonical alert itself, and whatever nobody else knows: its refusal names the canonical fields."""

from fillpath.alerts.body import Message
from fillpath.alerts.canonical import CanonicalAlert, parse_canonical
from fillpath.alerts.dialects.dialect import Dialect


def _parse(message: Message) -> CanonicalAlert:
    return parse_canonical(message.fields)


DIALECT = Dialect("canonical", lambda _message: True, _parse)

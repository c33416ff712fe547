"""What every dialect does with its fields: what is switched off, what is refused by name, and the canonical alert in the end."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from fillpath.alerts.body import invalid
from fillpath.alerts.canonical import CanonicalAlert, parse_canonical, validated
from fillpath.errors import Refused

_OFF = {"", "0", "false", "off", "no", "none", "null"}
_ON = {"1", "true", "on", "yes"}


class Fields(BaseModel):
    """The fields of one dialect; unknown ones are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


AnyFields = TypeVar("AnyFields", bound=Fields)


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() in _ON:
        return True
    if is_off(value):
        return False
    raise ValueError("must be true or false")


Flag = Annotated[bool, BeforeValidator(_flag)]


def words(meanings: Mapping[str, str], remedies: Mapping[str, str] | None = None) -> BeforeValidator:
    """A validator that takes these words in any case for what they mean; others are refused, some with their remedy."""
    return BeforeValidator(_Words(meanings, remedies or {}))


class _Words:
    def __init__(self, meanings: Mapping[str, str], remedies: Mapping[str, str]) -> None:
        self._meanings, self._remedies = meanings, remedies

    def __call__(self, value: object) -> str:
        word = value.strip().lower() if isinstance(value, str) else ""
        if word in self._meanings:
            return self._meanings[word]
        if "{{" in word:
            raise ValueError("holds a placeholder that was not filled in")
        known = f"must be one of {', '.join(dict.fromkeys(self._meanings))}"
        raise ValueError(self._remedies.get(word, known))


def is_off(value: object) -> bool:
    """Whether a value means that its feature is not used: nothing, zero, false, an empty list or object."""
    if isinstance(value, bool | list | dict) or value is None:
        return not value
    if isinstance(value, Decimal):
        return value == 0
    text = str(value).strip().lower()
    return text in _OFF or (text[:1] == "0" and not text.strip("0."))


def read(model: type[AnyFields], fields: Mapping[str, Any], refused: Mapping[str, str]) -> AnyFields:
    """The fields as their model; those of `refused` may only be off, else they are refused with their remedy."""
    for field, remedy in refused.items():
        if field in fields and not is_off(fields[field]):
            raise invalid(field, remedy)
    return validated(model, {field: value for field, value in fields.items() if field not in refused})


def canonical(names: Mapping[str, str], **fields: Any) -> CanonicalAlert:
    """The canonical alert of these fields; a refusal names the sender's own field, by `names`."""
    try:
        return parse_canonical(fields)
    except Refused as refusal:
        field = refusal.details["field"]
        raise invalid(names.get(field, field), refusal.details["reason"]) from None


def missing(field: str, remedy: str) -> NoReturn:
    """Refuse an alert for a field that is not there, and say what to write."""
    raise invalid(field, f"is missing; {remedy}")


def side_of(position: str | None) -> str | None:
    """The side that a position of this name was bought or sold for."""
    return {"long": "buy", "short": "sell"}.get(position or "")


def position_of(side: str) -> str:
    """The position that this side opens."""
    return "long" if side == "buy" else "short"

"""Between Python values and DynamoDB's wire form: a mapping goes in, an item comes out, and the other way round.

Decimals and ints are numbers, instants are ISO 8601 UTC with milliseconds, enumerations are their value. None is left out.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]


def item(record: Mapping[str, Any]) -> Item:
    """The wire form of a record, without what is None."""
    return {name: value(content) for name, content in record.items() if content is not None}


def value(content: Any) -> Value:
    """The wire form of one value; TypeError for a kind that no table holds."""
    marshal = _MARSHAL.get(type(content)) or next((form for kind, form in _MARSHAL.items() if isinstance(content, kind)), None)
    if marshal is None:
        raise TypeError(f"a table cannot hold a {type(content).__name__}")
    return marshal(content)


def record(stored: Mapping[str, Value]) -> dict[str, Any]:
    """The record of an item; numbers come as Decimal, instants as text."""
    return {name: plain(content) for name, content in stored.items()}


def plain(content: Value) -> Any:
    """The Python value of one wire value."""
    ((kind, raw),) = content.items()
    return _UNMARSHAL[kind](raw)


def instant(at: datetime) -> str:
    """An aware instant as text that sorts by time."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _list(content: Any) -> Value:
    return {"L": [value(part) for part in content]}


# In order of precedence: a bool is an int too, an enumeration member a str.
_MARSHAL: dict[type, Callable[[Any], Value]] = {
    bool: lambda content: {"BOOL": content},
    str: lambda content: {"S": str(content)},
    int: lambda content: {"N": str(content)},
    Decimal: lambda content: {"N": str(content)},
    float: lambda content: {"N": repr(content)},
    datetime: lambda content: {"S": instant(content)},
    dict: lambda content: {"M": item(content)},
    list: _list,
    tuple: _list,
    type(None): lambda _: {"NULL": True},
}

_UNMARSHAL: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": Decimal,
    "BOOL": bool,
    "M": record,
    "L": lambda content: [plain(part) for part in content],
    "NULL": lambda _: None,
}

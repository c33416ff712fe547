"""A webhook's own mapping: a JMESPath expression that makes any JSON a canonical alert, such as
`{action: side, symbol: join(':', [venue, pair]), quantity: order.size, timestamp: sent, secret: auth}`.

It cannot run away: only that part of the language is taken in which no value can grow. An object is made once, as the result;
lists only as arguments of `join` and `contains`; functions answer with one value, `join` with a short one. Numbers stay exact.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from fillpath.alerts.body import Message, invalid
from fillpath.alerts.canonical import CanonicalAlert, parse_canonical
from fillpath.alerts.dialects.dialect import Dialect
from fillpath.alerts.dialects.registry import Understood
from fillpath.errors import Refused

MAX_LENGTH = 2048
MAX_DEPTH = 16
MAX_NODES = 150
MAX_JOINED = 200
_MAX_DIGITS = 30
_LISTS_IN = {"join", "contains"}
_FUNCTIONS = _LISTS_IN | {
    "abs", "avg", "ceil", "ends_with", "floor", "length", "max", "min", "not_null", "starts_with", "sum", "to_number",
    "to_string", "type",
}  # fmt: skip
_NODES = {
    "and_expression", "comparator", "current", "field", "filter_projection", "function_expression", "identity", "index",
    "index_expression", "key_val_pair", "literal", "not_expression", "or_expression", "pipe", "projection", "subexpression",
}  # fmt: skip
_Node = Mapping[str, Any]


class _Functions(functions.Functions):
    @functions.signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> str:
        if len(separator) * len(array) + sum(map(len, array)) > MAX_JOINED:
            raise ValueError(f"join() makes more than {MAX_JOINED} characters")
        return separator.join(array)


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def mapped(message: Message, expression: str) -> Understood:
    """The canonical alert that the expression makes of a message; Refused(invalid_alert) naming the field that is wrong."""
    return Understood(message, _DIALECT, _alert(message.fields, expression))


def check_mapping(expression: str, sample: Message) -> CanonicalAlert:
    """What the expression makes of a sample; Refused(bad_mapping) if it cannot be taken or makes no alert of it."""
    try:
        return _alert(sample.fields, expression)
    except Refused as refusal:
        raise Refused("bad_mapping", f"with the sample: {refusal.message}") from None


def check_expression(expression: str) -> None:
    """Whether the expression can be taken at all; Refused(bad_mapping)."""
    _compiled(expression)


def _alert(fields: Mapping[str, Any], expression: str) -> CanonicalAlert:
    compiled = _compiled(expression)
    try:
        made = compiled.search(_for_search(dict(fields)), _OPTIONS)
    except (JMESPathError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as exc:
        raise invalid("mapping", f"cannot be applied to this message: {exc}") from None
    if not isinstance(made, dict):
        raise invalid("mapping", "makes no object of this message")
    try:
        return parse_canonical({name: _exact(value) for name, value in made.items()})
    except Refused as refusal:
        raise invalid(refusal.details["field"], f"{refusal.details['reason']} (as the webhook's mapping gives it)") from None


@lru_cache(maxsize=64)
def _compiled(expression: str) -> ParsedResult:
    if len(expression) > MAX_LENGTH:
        raise Refused("bad_mapping", f"the mapping has {len(expression)} characters; at most {MAX_LENGTH} are taken")
    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as exc:
        raise Refused("bad_mapping", f"the mapping is not JMESPath: {exc}") from None
    except RecursionError:
        raise Refused("bad_mapping", "the mapping is nested too deeply") from None
    _check(compiled.parsed)
    return compiled


def _check(root: _Node) -> None:
    if root["type"] != "multi_select_dict":
        raise Refused("bad_mapping", "the mapping must be one object, like {action: side, symbol: ticker, quantity: qty}")
    nodes = list(_below(root, 1))
    if len(nodes) > MAX_NODES or max(depth for _, depth in nodes) > MAX_DEPTH:
        raise Refused("bad_mapping", f"the mapping is too large: at most {MAX_NODES} parts, {MAX_DEPTH} inside each other")
    for node, _ in nodes:
        if node["type"] not in _NODES:
            raise Refused("bad_mapping", f"{_named(node)} cannot be used in a mapping")
        if node["type"] == "function_expression" and node["value"] not in _FUNCTIONS:
            known = ", ".join(sorted(_FUNCTIONS))
            raise Refused("bad_mapping", f"{node['value']}() cannot be used in a mapping; there are {known}")


def _below(node: _Node, depth: int) -> Iterator[tuple[_Node, int]]:
    """Every node that a value comes from, but for the lists that stand where they may."""
    for child in node["children"]:
        if isinstance(child, Mapping):
            if child["type"] != "multi_select_list" or node.get("value") not in _LISTS_IN:
                yield child, depth
            yield from _below(child, depth + 1)


def _named(node: _Node) -> str:
    return {"multi_select_list": "a list", "multi_select_dict": "an object inside the object", "flatten": "[]"}.get(
        node["type"], str(node["type"]).replace("_", " ")
    )


def _for_search(value: Any) -> Any:
    """Numbers as JMESPath knows them; one that would lose a digit stays text, which an alert's numbers may be."""
    match value:
        case dict():
            return {name: _for_search(each) for name, each in value.items()}
        case list():
            return [_for_search(each) for each in value]
        case Decimal():
            return _number(value)
    return value


def _number(value: Decimal) -> int | float | str:
    if value.adjusted() > _MAX_DIGITS or value.adjusted() < -_MAX_DIGITS:
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    nearest = float(value)
    return nearest if Decimal(repr(nearest)) == value else str(value)


def _exact(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else value


_DIALECT = Dialect("mapping", lambda _message: False, lambda message: parse_canonical(message.fields))

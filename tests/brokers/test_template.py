"""The template of a venue has all that the facade asks for, says of each method whether it is needed, and is no venue itself."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from fillpath_brokers import registry
from fillpath_brokers._template.sign_in import SIGN_IN, TemplateSignIn
from fillpath_brokers._template.venue import TemplateBroker
from fillpath_brokers.facade import Broker
from fillpath_brokers.signing_in import SignIn


def methods(kind: type) -> dict[str, Callable[..., Any]]:
    found = {name: inspect.unwrap(value) for name, value in inspect.getmembers(kind, inspect.isfunction)}
    return {name: value for name, value in found.items() if not name.startswith("_")}


def test_it_has_every_method_of_the_facade_with_the_same_arguments() -> None:
    wanted, there = methods(Broker), methods(TemplateBroker)
    assert there.keys() == wanted.keys()
    assert {name: inspect.signature(each) for name, each in there.items()} == {
        name: inspect.signature(each) for name, each in wanted.items()
    }


@pytest.mark.parametrize("kind", [TemplateBroker, TemplateSignIn])
def test_each_method_says_whether_it_is_required(kind: type) -> None:
    for name, method in methods(kind).items():
        assert (method.__doc__ or "").startswith(("Required", "Optional")), name


def test_it_has_all_that_signing_in_needs() -> None:
    wanted = {name for name in vars(SignIn) if not name.startswith("_")}
    assert wanted <= set(dir(SIGN_IN))


def test_it_is_no_venue() -> None:
    assert "_template" not in registry.venues()

"""Synthesizes an environment once a session, with empty zips in place of the code: nothing is built or downloaded."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

from infra.compose import compose
from infra.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CDK_JSON = json.loads((ROOT / "cdk.json").read_text())
PARTS = ("State", "Orders", "Edge", "Ops")

Resource = dict[str, Any]


class EmptyAssets:
    """Assets without content."""

    def __init__(self, folder: Path) -> None:
        (folder / "empty.txt").touch()
        self._code = lambda_.Code.from_asset(str(folder))

    def function(self, name: str) -> lambda_.Code:
        return self._code

    def layer(self, name: str) -> lambda_.Code:
        return self._code


@dataclass(frozen=True)
class Synthesized:
    """The templates of one environment by part, and the parts that cannot be deleted."""

    settings: Settings
    templates: dict[str, dict[str, Any]]
    undeletable: frozenset[str]

    def resources(self, kind: str, part: str | None = None) -> dict[str, Resource]:
        """Logical id -> resource, of one type, of one stack or all."""
        parts = [part] if part else PARTS
        return {
            name: resource
            for each in parts
            for name, resource in self.templates[each]["Resources"].items()
            if resource["Type"] == kind
        }

    def properties(self, kind: str, part: str | None = None) -> list[dict[str, Any]]:
        return [resource.get("Properties", {}) for resource in self.resources(kind, part).values()]

    def outputs(self, part: str) -> dict[str, Any]:
        """The outputs that have a name of their own; the others only tie the stacks together."""
        outputs = self.templates[part].get("Outputs", {})
        return {name: output["Value"] for name, output in outputs.items() if "Export" not in output}


Synthesize = Callable[..., Synthesized]


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    @cache
    def synthesized(environment: str, **overrides: Any) -> Synthesized:
        settings = Settings.parse(environment, CDK_JSON["context"]["environments"][environment] | overrides)
        app = App(context=CDK_JSON["context"], outdir=str(tmp_path_factory.mktemp("cdk")))
        compose(app, settings, EmptyAssets(tmp_path_factory.mktemp("assets")))
        stacks = {stack.stack_name.rpartition("-")[2]: stack for stack in app.synth().stacks}
        undeletable = frozenset(part for part, stack in stacks.items() if stack.termination_protection)
        return Synthesized(settings, {part: stack.template for part, stack in stacks.items()}, undeletable)

    return synthesized


@pytest.fixture
def prod(synthesize: Synthesize) -> Synthesized:
    return synthesize("prod")


@pytest.fixture
def local(synthesize: Synthesize) -> Synthesized:
    return synthesize("local")

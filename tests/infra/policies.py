"""Reads who may do what out of templates, in words: role -> thing -> actions."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.infra.conftest import PARTS, Synthesized

Rights = dict[str, dict[str, str]]

NAMED_BY = {
    "AWS::DynamoDB::Table": ("table", "TableName"),
    "AWS::IAM::Role": ("role", "RoleName"),
    "AWS::KMS::Key": ("key", None),
    "AWS::Lambda::Function": ("function", "FunctionName"),
    "AWS::Logs::LogGroup": ("log", "LogGroupName"),
    "AWS::SQS::Queue": ("queue", "QueueName"),
    "AWS::StepFunctions::StateMachine": ("workflow", "StateMachineName"),
}


def rights(synthesized: Synthesized) -> Rights:
    """Of every role of our own policies; what a statement's conditions ask for belongs to the thing."""
    words = Words(synthesized)
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for part in PARTS:
        for policy in synthesized.properties("AWS::IAM::Policy", part):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                actions = {action.partition(":")[2] for action in listed(statement["Action"])}
                for role in policy["Roles"]:
                    for resource in listed(statement["Resource"]):
                        thing = words.of(part, resource) + words.condition(part, statement)
                        found[words.of(part, role)][thing] |= actions
    return {role: {thing: " ".join(sorted(actions)) for thing, actions in things.items()} for role, things in found.items()}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class Words:
    """Turns references into the names of what they refer to, also from one stack to another."""

    def __init__(self, synthesized: Synthesized) -> None:
        self._synthesized = synthesized
        self._prefix = f"{synthesized.settings.prefix}-"
        self._exports = dict(self._all_exports())

    def of(self, part: str, value: Any) -> str:
        match value:
            case str():
                return value.removeprefix(self._prefix)
            case {"Fn::ImportValue": str(export)}:
                return self.of(*self._exports[export])
            case {"Fn::GetAtt": [str(resource), str(attribute)]}:
                return self._resource(part, resource) + (" stream" if attribute == "StreamArn" else "")
            case {"Ref": str(name)}:
                return f"<{name}>" if name.startswith("AWS::") else self._resource(part, name)
            case {"Fn::Join": ["", list(pieces)]}:
                # Of an ARN, only the resource says anything.
                return "".join(self.of(part, piece) for piece in pieces).rpartition(">:")[2]
        raise AssertionError(f"no words for {value}")

    def condition(self, part: str, statement: dict[str, Any]) -> str:
        asked = statement.get("Condition", {})
        service = asked.get("StringEquals", {}).get("kms:ViaService")
        secret = asked.get("StringLike", {}).get("kms:EncryptionContext:SecretARN")
        via = f" via {self.of(part, service).partition('.')[0]}" if service else ""
        return via + (f" for {self.of(part, secret)}" if secret else "")

    def _resource(self, part: str, name: str) -> str:
        resource = self._synthesized.templates[part]["Resources"][name]
        kind, named_by = NAMED_BY[resource["Type"]]
        return f"{kind} {self.of(part, resource['Properties'][named_by])}" if named_by else kind

    def _all_exports(self) -> Iterator[tuple[str, tuple[str, Any]]]:
        for part in PARTS:
            for output in self._synthesized.templates[part].get("Outputs", {}).values():
                if "Export" in output:
                    yield output["Export"]["Name"], (part, output["Value"])

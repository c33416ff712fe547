"""Findings of cdk-nag that stand: always one resource, one finding and its reason."""

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct


def acknowledge(resource: IConstruct, finding: str, reason: str) -> None:
    """Accept `finding` on `resource` (and what belongs to it) for `reason`."""
    Validations.of(resource).acknowledge(Acknowledgment(id=_spelled_out(resource, finding), reason=reason))


def _spelled_out(resource: IConstruct, finding: str) -> str:
    """With `<AWS::Region>` and the like for what is known only at deployment, as cdk-nag writes it."""
    resolved = Stack.of(resource).resolve(finding)
    if isinstance(resolved, str):
        return resolved
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in resolved["Fn::Join"][1])

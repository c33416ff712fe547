"""The shell that a command was typed in: what of its settings programs get, and what of them the local stack must not see."""

import os
from collections.abc import Mapping

LOCAL_ADDRESSES = "localhost,127.0.0.1"
_PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


def region() -> str | None:
    """AWS_REGION, which the CDK and all newer SDKs read, but botocore does not."""
    return os.environ.get("AWS_REGION") or None


def columns() -> str | None:
    """How wide whatever shows what is printed is, where that was said."""
    return os.environ.get("COLUMNS") or None


def whole() -> dict[str, str]:
    """Everything, for programs that work for the person's own AWS account."""
    return dict(os.environ)


def for_the_local_stack(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Without the person's AWS profile, keys and proxies, for programs that reach nothing but this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name.upper() not in _PROXIES}
    # Both spellings: programs differ in which one they read.
    return {**kept, "NO_PROXY": LOCAL_ADDRESSES, "no_proxy": LOCAL_ADDRESSES, **(extra or {})}

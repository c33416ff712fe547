"""The messages in events/webhook/dialects: each file with the form that is expected of it, or the refusal."""

import json
from pathlib import Path
from typing import Any

from fillpath.alerts.body import read_message
from fillpath.alerts.dialects.registry import NAMES, Understood, understand
from fillpath.errors import Refused

FOLDER = Path(__file__).parents[2] / "events" / "webhook" / "dialects"
_EXPECTED = ".expected.json"


def names() -> list[str]:
    """Every message, as product/case.json or product/case.txt."""
    files = [file for file in FOLDER.rglob("*") if file.is_file() and not file.name.endswith(_EXPECTED)]
    return sorted(str(file.relative_to(FOLDER)) for file in files)


def body(name: str) -> bytes:
    """The message as it was posted."""
    return (FOLDER / name).read_bytes()


def canonical() -> list[bytes]:
    """The messages in the canonical form."""
    return [file.read_bytes() for file in sorted((FOLDER.parent / "alerts").glob("*.json"))]


def expected(name: str) -> dict[str, Any]:
    """`dialect` and `alert`, or `refused`."""
    content: dict[str, Any] = json.loads((FOLDER / name).with_suffix(_EXPECTED).read_text())
    return content


def accepted() -> list[str]:
    """The messages that are understood."""
    return [name for name in names() if "alert" in expected(name)]


def answer(posted: bytes) -> dict[str, Any]:
    """What becomes of these bytes, in the form of an expectation."""
    try:
        understood = understand(read_message(posted))
    except Refused as refused:
        return {"refused": refused.details} if refused.code == "invalid_alert" else {"code": refused.code}
    return {"dialect": understood.dialect.name, "alert": plain(understood)}


def plain(understood: Understood) -> dict[str, Any]:
    """The alert as JSON, without what is as always."""
    return understood.alert.model_dump(mode="json", exclude_defaults=True)


def check(posted: bytes) -> dict[str, Any]:
    """The answer to any bytes at all: an alert with a symbol, or a refusal that names a field and can be sent as text."""
    found = answer(posted)
    if "refused" in found:
        assert set(found["refused"]) == {"field", "reason"}
        for text in found["refused"].values():
            assert text
            assert len(text) < 600
            text.encode()
    else:
        assert found["dialect"] in NAMES
        assert found["alert"]["symbol"]
        json.dumps(found, ensure_ascii=False).encode()
    return found

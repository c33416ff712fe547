"""When the local stacks are deployed again."""

from pathlib import Path

import pytest

from cli.deployment import fingerprint


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("app.py", "cdk.json", "functions/webhook/handler.py", "requirements/lambda.txt", "requirements/dev.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_changed_function_is_deployed_again(checkout: Path) -> None:
    before = fingerprint(checkout)
    (checkout / "functions/webhook/handler.py").write_text("changed")
    assert fingerprint(checkout) != before


def test_a_moved_file_is_deployed_again(checkout: Path) -> None:
    before = fingerprint(checkout)
    (checkout / "functions/webhook/handler.py").rename(checkout / "functions/webhook/moved.py")
    assert fingerprint(checkout) != before


def test_tests_documents_and_bytecode_are_not_deployed(checkout: Path) -> None:
    before = fingerprint(checkout)
    for name in ("tests/test_it.py", "README.md", "functions/webhook/__pycache__/handler.pyc"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("new")
    assert fingerprint(checkout) == before

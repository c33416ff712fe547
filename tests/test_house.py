"""What holds for every module, whoever writes it."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "cli": ROOT / "cli",
    "functions": ROOT / "functions",
    "infra": ROOT / "infra",
    "fillpath": ROOT / "layers/core/python/fillpath",
    "fillpath_aws": ROOT / "layers/aws/python/fillpath_aws",
    "fillpath_brokers": ROOT / "layers/brokers/python/fillpath_brokers",
}
# Beside functions/*/env.py: the AWS SDK's own variables, and the command line, which gives programs the environment they need.
READS_ENVIRONMENT = {"fillpath_aws.clients", "cli.surroundings"}
IMPORT_ALL = """
import importlib, socket, sys
def refuse(*_): raise AssertionError("a module opens a connection when it is imported")
socket.socket.connect = refuse
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in PACKAGES.items():
        for file in sorted(folder.rglob("*.py")):
            parts = (package, *file.relative_to(folder).with_suffix("").parts)
            yield ".".join(part for part in parts if part != "__init__"), file


def test_every_module_can_be_imported_with_an_empty_environment() -> None:
    names = [name for name, _ in modules() if not name.endswith("__main__")]
    # The CDK's library looks for node on the path, which is all that a module may need.
    completed = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", IMPORT_ALL, *names],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr


def test_the_environment_is_read_only_where_it_is_parsed() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for name, file in modules()
        if name not in READS_ENVIRONMENT and not (name.startswith("functions.") and name.endswith(".env"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute | ast.ImportFrom) and _names_environment(node)
    ]
    assert found == []


def test_no_module_is_longer_than_a_person_reads_at_once() -> None:
    found = [str(file.relative_to(ROOT)) for _, file in modules() if len(file.read_text().splitlines()) >= 400]
    assert found == []


def _names_environment(node: ast.Attribute | ast.ImportFrom) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
            return True
        case ast.ImportFrom(module="os", names=names):
            return any(alias.name in {"environ", "environb", "getenv"} for alias in names)
        case _:
            return False

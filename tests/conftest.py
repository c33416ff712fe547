"""Which suite a test belongs to, by its folder, and the options that suites share."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
# Folders of which no test is a unit test; elsewhere a test says so itself.
SUITES = {"infra": pytest.mark.integration, "e2e": pytest.mark.e2e}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stack", type=Path, help="stack.json of the local stack that end-to-end tests speak to")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(FOLDER).parts[0]
        if folder in SUITES:
            item.add_marker(SUITES[folder])
        if folder == "e2e":
            item.add_marker(pytest.mark.enable_socket)

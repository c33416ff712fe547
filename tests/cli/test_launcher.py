"""./fillpath itself: what it installs, and what it says on a machine that cannot run it."""

import ast
import fcntl
import importlib.util
import json
import re
from importlib.machinery import SourceFileLoader
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "fillpath"


@pytest.fixture
def launcher(tmp_path: Path) -> ModuleType:
    """The script as a module, in a checkout that has its lock files and nothing installed."""
    spec = importlib.util.spec_from_loader("launcher", SourceFileLoader("launcher", str(LAUNCHER)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT, module.VENV = str(tmp_path), str(tmp_path / ".venv")
    module.PYTHON, module.STAMP = str(tmp_path / ".venv/bin/python"), str(tmp_path / ".venv/installed.json")
    module.CDK = str(tmp_path / "cdk")
    for name in [
        "package-lock.json",
        "requirements/uv.txt",
        "requirements/dev.txt",
        *[f"{p}/pyproject.toml" for p in module.PROJECTS],
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return module


class Machine:
    """Stands in for what the steps do; one of them can be interrupted."""

    def __init__(self, launcher: ModuleType, folder: Path) -> None:
        self.done: list[str] = []
        self.interrupted: str | None = None
        self._folder = folder
        launcher.works = lambda program: Path(program).exists()
        launcher.make_environment = lambda: self._do("environment", ".venv/bin/python")
        launcher.install_packages = lambda: self._do("packages")
        launcher.install_projects = lambda: self._do("projects")
        launcher.install_cdk = lambda: self._do("cdk", "cdk")

    def _do(self, step: str, makes: str | None = None) -> None:
        if step == self.interrupted:
            raise KeyboardInterrupt
        self.done.append(step)
        if makes:
            (self._folder / makes).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / makes).touch()


@pytest.fixture
def machine(launcher: ModuleType, tmp_path: Path) -> Machine:
    return Machine(launcher, tmp_path)


def test_an_old_python_can_parse_it_and_say_what_is_wrong() -> None:
    ast.parse(LAUNCHER.read_text(), feature_version=(3, 6))


def test_everything_is_installed_once(launcher: ModuleType, machine: Machine) -> None:
    launcher.install()
    launcher.install()
    assert machine.done == ["environment", "packages", "projects", "cdk"]
    assert launcher.is_installed()


def test_a_second_one_says_that_it_waits_for_the_first(
    launcher: ModuleType, machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".local").mkdir()
    with (tmp_path / ".local/install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = Thread(target=launcher.install)
        second.start()
        second.join(0.2)
        assert machine.done == []
    second.join(10)
    assert machine.done == ["environment", "packages", "projects", "cdk"]
    assert "another ./fillpath is setting up; waiting" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["environment", "packages", "projects", "cdk"])
def test_an_interrupted_installation_heals_on_the_next_run(launcher: ModuleType, machine: Machine, step: str) -> None:
    machine.interrupted = step
    with pytest.raises(KeyboardInterrupt):
        launcher.install()
    assert not launcher.is_installed()
    machine.interrupted = None
    launcher.install()
    assert launcher.is_installed()
    assert machine.done == ["environment", "packages", "projects", "cdk"]


def test_a_changed_lock_installs_again_what_depends_on_it(launcher: ModuleType, machine: Machine, tmp_path: Path) -> None:
    launcher.install()
    (tmp_path / "requirements/dev.txt").write_text("changed")
    assert not launcher.is_installed()
    launcher.install()
    assert machine.done[4:] == ["packages", "projects"]


def test_an_environment_without_its_python_is_made_anew(launcher: ModuleType, machine: Machine, tmp_path: Path) -> None:
    launcher.install()
    (tmp_path / ".venv/bin/python").unlink()
    assert not launcher.is_installed()
    launcher.install()
    assert machine.done[4:] == ["environment", "packages", "projects", "cdk"]


def test_pips_mirror_is_uvs_mirror(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "SSL_CERT_FILE", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "mirror")
    assert launcher.registry() == {"UV_DEFAULT_INDEX": "mirror"}


@pytest.mark.parametrize("name", ["uv", "lambda", "dev"])
def test_every_requirement_is_hashed_and_none_names_a_registry(name: str) -> None:
    lock = (ROOT / f"requirements/{name}.txt").read_text()
    requirements = re.split(r"\n(?=[a-z])", lock.strip())
    assert all("==" in requirement and "--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in lock


def test_lambda_runs_what_the_tests_run() -> None:
    pins = {
        name: set(re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE))
        for name in ("lambda", "dev")
    }
    assert pins["lambda"] <= pins["dev"]


def test_the_cdk_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_the_environment_of_another_checkout_is_left_alone(launcher: ModuleType, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").touch()
    Path(launcher.VENV).symlink_to(other)
    with pytest.raises(SystemExit, match="is a symbolic link"):
        launcher.make_environment()
    assert (other / "kept").exists()

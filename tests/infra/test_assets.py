import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import assets
from infra.assets import BuiltAssets, Target, host_target, without

SOURCES_ONLY = Target("3.13", "aarch64-manylinux_2_28", None)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A function with what it shares, and a layer."""
    files = {
        "functions/__init__.py": "",
        "functions/shared.py": "NAME = 'shared'",
        "functions/greet/__init__.py": "",
        "functions/greet/handler.py": "import core, functions.shared\ndef handler(): return core.WORD + functions.shared.NAME\n",
        "functions/other/handler.py": "",
        "layers/core/__init__.py": "WORD = 'hello '",
        "layers/core/words.json": "[]",
    }
    for name, content in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    monkeypatch.setattr(assets, "FUNCTIONS", tmp_path / "functions")
    monkeypatch.setitem(assets.PACKAGES, "core", tmp_path / "layers" / "core")
    return tmp_path


def build(repository: Path, target: Target = SOURCES_ONLY) -> dict[str, Path]:
    """The newest zip of each asset."""
    cache = repository / "cache"
    built = BuiltAssets(target, cache)
    built.function("greet")
    built.layer("core")
    zips = sorted(cache.glob("*.zip"), key=lambda file: file.stat().st_mtime_ns)
    return {file.name.partition("-")[0]: file for file in zips}


def names(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def test_a_function_keeps_its_import_path_and_takes_along_what_functions_share(repository: Path) -> None:
    assert names(build(repository)["greet"]) == [
        "functions/__init__.py",
        "functions/greet/__init__.py",
        "functions/greet/handler.py",
        "functions/shared.py",
    ]


def test_a_layer_has_its_package_under_python_with_its_data(repository: Path) -> None:
    assert names(build(repository)["core"]) == ["python/core/__init__.py", "python/core/words.json"]


def test_zips_with_bytecode_run_unpacked(repository: Path) -> None:
    for file in build(repository, host_target()).values():
        zipfile.ZipFile(file).extractall(repository / "lambda")

    assert list((repository / "lambda" / "functions" / "greet").glob("__pycache__/handler.*.pyc"))
    code = "import sys; sys.path += ['.', 'python']; from functions.greet.handler import handler; print(handler())"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=repository / "lambda", capture_output=True, text=True, check=True)
    assert ran.stdout == "hello shared\n"


def test_the_same_sources_give_the_same_bytes(repository: Path) -> None:
    first = {name: file.read_bytes() for name, file in build(repository).items()}
    for file in (repository / "cache").glob("*.zip"):
        file.unlink()

    assert {name: file.read_bytes() for name, file in build(repository).items()} == first


def test_what_has_not_changed_is_not_built_again(repository: Path) -> None:
    before = {name: (file, file.stat().st_mtime_ns) for name, file in build(repository).items()}

    assert {name: (file, file.stat().st_mtime_ns) for name, file in build(repository).items()} == before


def test_a_changed_source_changes_only_its_own_zip(repository: Path) -> None:
    before = build(repository)
    (repository / "layers" / "core" / "__init__.py").write_text("WORD = 'goodbye '")
    after = build(repository)

    assert after["core"] != before["core"]
    assert after["greet"] == before["greet"]


def test_another_target_gives_another_zip(repository: Path) -> None:
    assert build(repository)["core"] != build(repository, host_target())["core"]


LOCK = """numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:11
    # via
    #   exchange-calendars
    #   pandas
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:22
    # via pandas
python-dateutil==2.9.0.post0 \\
    --hash=sha256:33
    # via -c lambda.txt
six==1.17.0 \\
    --hash=sha256:44
"""
COMMON = """python-dateutil==2.9.0.post0 \\
    --hash=sha256:33
six==1.17.0 \\
    --hash=sha256:44
"""


def test_a_second_layer_of_wheels_leaves_out_what_the_first_one_has() -> None:
    assert without(LOCK, COMMON) == LOCK.partition("python-dateutil")[0]
    assert without(LOCK, "") == LOCK


def test_the_layers_of_wheels_share_no_package_and_agree_on_what_they_both_need() -> None:
    calendars, common = assets.CALENDARS_LOCK.read_text(), assets.LOCK.read_text()
    pinned = {line.partition(" ")[0] for line in calendars.splitlines() if line[:1].isalpha()}
    left = {line.partition(" ")[0] for line in without(calendars, common).splitlines() if line[:1].isalpha()}

    assert {name.partition("==")[0] for name in left} >= {"exchange-calendars", "numpy", "pandas"}
    assert pinned - left <= {line.partition(" ")[0] for line in common.splitlines() if line[:1].isalpha()}


def test_what_no_function_needs_of_the_wheels_is_dropped(tmp_path: Path) -> None:
    kept = ["pandas/core.py", "botocore/data/sqs/a.json", "toolz/tests/a.py"]
    dropped = ["pandas/tests/a.py", "numpy/x/tests/tests/a.py", "botocore/data/ec2/a.json", "bin/f2py"]
    for name in (*kept, *dropped):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assets.drop_unused(tmp_path)

    assert [name for name in (*kept, *dropped) if (tmp_path / name).exists()] == kept


def test_a_function_without_a_handler_is_refused(repository: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"functions/nothing/handler\.py"):
        BuiltAssets(SOURCES_ONLY, repository / "cache").function("nothing")

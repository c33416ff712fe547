"""Where code lives and how it becomes Lambda zips: folders of this repository come in, cached and reproducible zips go out.

A zip is named by the hash of what it is made of, so that an unchanged one is never built again and a changed one always is.
"""

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".local" / "build"
LOCK = ROOT / "requirements" / "lambda.txt"
CALENDARS_LOCK = ROOT / "requirements" / "calendars.txt"

PYTHON = "3.13"
# Lambda's python3.13 runs on Amazon Linux 2023 (glibc 2.34).
PLATFORM = "aarch64-manylinux_2_28"

FUNCTIONS = ROOT / "functions"
# Own packages, one layer each.
PACKAGES = {
    "core": ROOT / "layers" / "core" / "python" / "fillpath",
    "aws": ROOT / "layers" / "aws" / "python" / "fillpath_aws",
    "brokers": ROOT / "layers" / "brokers" / "python" / "fillpath_brokers",
}
LayerName = Literal["vendor", "core", "aws", "brokers", "calendars"]

# botocore describes 400 services in 1,900 files, most of the vendor layer; a client of any other service fails by name.
AWS_SERVICES = frozenset({"dynamodb", "secretsmanager", "sqs", "stepfunctions", "sts"})
# Their tests are a third of them, and Lambda takes 250 MB of layers and function together.
HAVE_TESTS = ("numpy", "pandas")

# What a lock says of one package: its line, and those below it that are indented.
_ENTRY = re.compile(r"^[a-z0-9].*\n(?:[ \t].*\n)*", re.MULTILINE)

# Zips carry this time stamp on every file, so that the same content gives the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


class Assets(Protocol):
    """Gives the constructs their code."""

    def function(self, name: str) -> lambda_.Code:
        """The code of `functions/<name>`, importable as `functions.<name>.handler`."""
        ...

    def layer(self, name: LayerName) -> lambda_.Code:
        """A layer: own code, or third-party wheels (`vendor`, and beside it `calendars`)."""
        ...


@dataclass(frozen=True)
class Target:
    """What the zips are built for; `interpreter` compiles the bytecode, None if there is none of that version."""

    python: str
    platform: str | None
    interpreter: str | None

    @property
    def key(self) -> str:
        """What of the target decides about a zip's content."""
        return f"{self.python}-{self.platform or f'{sys.platform}-{platform.machine()}'}-{'pyc' if self.interpreter else 'py'}"


def lambda_target() -> Target:
    """Lambda: Python 3.13 on arm64. Bytecode needs a Python 3.13 on this machine, of whatever architecture."""
    return Target(PYTHON, PLATFORM, _find_interpreter(PYTHON))


def host_target() -> Target:
    """This machine, whose interpreter the emulator runs the functions with."""
    return Target(platform.python_version(), None, sys.executable)


class BuiltAssets:
    """Assets built from this repository without Docker; the wheels come from the hashed lock."""

    def __init__(self, target: Target, cache: Path = CACHE) -> None:
        self._target = target
        self._cache = cache

    def function(self, name: str) -> lambda_.Code:
        """The function's folder inside its package, with the modules that all functions share."""
        sources = {f"functions/{name}/{path}": file for path, file in _sources(FUNCTIONS / name)}
        if f"functions/{name}/handler.py" not in sources:
            raise FileNotFoundError(f"functions/{name}/handler.py is missing")
        sources |= {f"functions/{file.name}": file for file in sorted(FUNCTIONS.glob("*.py"))}
        return self._own_code(name, sources, unpacked_at="/var/task")

    def layer(self, name: LayerName) -> lambda_.Code:
        """A layer's packages under `python/`."""
        if name == "vendor":
            return self._wheels(name, LOCK.read_text())
        if name == "calendars":
            return self._wheels(name, without(CALENDARS_LOCK.read_text(), LOCK.read_text()))
        package = PACKAGES[name]
        sources = {f"python/{package.name}/{path}": file for path, file in _sources(package)}
        return self._own_code(name, sources, unpacked_at="/opt")

    def _own_code(self, name: str, sources: dict[str, Path], unpacked_at: str) -> lambda_.Code:
        digest = self._digest({path: file.read_bytes() for path, file in sources.items()})
        zip_file = self._cache / f"{name}-{digest}.zip"
        if not zip_file.exists():
            with tempfile.TemporaryDirectory() as folder:
                for path, file in sources.items():
                    copy = Path(folder, path)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, copy)
                self._pack(Path(folder), zip_file, unpacked_at)
        return lambda_.Code.from_asset(str(zip_file), asset_hash=digest)

    def _wheels(self, name: str, lock: str) -> lambda_.Code:
        digest = self._digest({name: lock.encode()})
        zip_file = self._cache / f"{name}-{digest}.zip"
        if not zip_file.exists():
            with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w", suffix=".txt") as locked:
                locked.write(lock)
                locked.flush()
                packages = Path(folder, "python")
                self._install(packages, locked.name)
                drop_unused(packages)
                self._pack(Path(folder), zip_file, unpacked_at="/opt")
        return lambda_.Code.from_asset(str(zip_file), asset_hash=digest)

    def _install(self, folder: Path, lock: str) -> None:
        where = ["--python-version", self._target.python]
        if self._target.platform:
            where += ["--python-platform", self._target.platform]
        options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--quiet", "--target", str(folder)]
        command = [sys.executable, "-m", "uv", "pip", "install", *options, *where, "-r", lock]
        _run(command).check_returncode()

    def _pack(self, folder: Path, zip_file: Path, unpacked_at: str) -> None:
        if self._target.interpreter:
            _compile(folder, self._target.interpreter, unpacked_at)
        zip_file.parent.mkdir(parents=True, exist_ok=True)
        # Two builds at once: each writes its own file, the last rename wins, nobody reads half a zip.
        with tempfile.NamedTemporaryFile(dir=zip_file.parent, suffix=".part", delete=False) as part:
            _zip(folder, Path(part.name))
        Path(part.name).replace(zip_file)

    def _digest(self, content: dict[str, bytes]) -> str:
        """Of the content, the target and this recipe."""
        digest = hashlib.sha256(self._target.key.encode() + Path(__file__).read_bytes())
        for path in sorted(content):
            digest.update(f"\0{path}\0{len(content[path])}\0".encode() + content[path])
        return digest.hexdigest()


def _sources(package: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(package.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(package).as_posix(), file


def without(lock: str, other: str) -> str:
    """The lock without the packages that the other one names: theirs come from the other layer."""
    elsewhere = {_package(entry) for entry in _ENTRY.findall(other)}
    return "".join(entry for entry in _ENTRY.findall(lock) if _package(entry) not in elsewhere)


def _package(entry: str) -> str:
    return entry.partition("==")[0]


def drop_unused(packages: Path) -> None:
    """Delete what no function needs of the wheels."""
    for service in packages.glob("botocore/data/*/"):
        if service.name not in AWS_SERVICES:
            shutil.rmtree(service)
    for package in HAVE_TESTS:
        for tests in list(packages.glob(f"{package}/**/tests/")):
            shutil.rmtree(tests, ignore_errors=True)  # some lie within others
    shutil.rmtree(packages / "bin", ignore_errors=True)


def _compile(folder: Path, interpreter: str, unpacked_at: str) -> None:
    # Unchecked: Lambda and the emulator unpack with new time stamps, which would make every file look stale.
    options = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", unpacked_at]
    _run([interpreter, "-m", "compileall", *options, str(folder)]).check_returncode()


def _zip(folder: Path, zip_file: Path) -> None:
    with zipfile.ZipFile(zip_file, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())


def _find_interpreter(version: str) -> str | None:
    """A Python of that version on the path, or one that pyenv or uv installed."""
    installed = [Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"]
    found = [path for folder in installed for path in sorted(folder.glob(f"*{version}*/bin/python{version}"))]
    candidates = [shutil.which(f"python{version}"), *map(str, found)]
    return next((path for path in candidates if path and _runs(path)), None)


def _runs(interpreter: str) -> bool:
    # pyenv puts a python3.13 on the path even where it runs none.
    return _run([interpreter, "--version"], stderr=subprocess.DEVNULL).returncode == 0


def _run(command: list[str], stderr: int | None = None) -> subprocess.CompletedProcess[bytes]:
    # Nothing on standard output: cdk reads it.
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=stderr, check=False)  # noqa: S603 - our own words

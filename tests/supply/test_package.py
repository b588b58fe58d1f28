"""The package: its extras, its version, the files in its wheel, a wheel that works from an empty folder."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from shared import __version__
from shared.cli.exit_codes import EXTRAS, code_of, explained
from tests.test_imports import ADDRESSES

ROOT = Path(__file__).resolve().parents[2]
METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, SETUPTOOLS = METADATA["project"], METADATA["tool"]["setuptools"]
PACKAGES = ("halfreal", "jobs", "shared")


def test_every_extra_is_known_to_the_command_line() -> None:
    """What only an extra brings is named with it where it is missing; no other extra is for users."""
    extras = PROJECT["optional-dependencies"]
    found = {line.partition(">")[0]: extra for extra, lines in extras.items() if extra != "test" for line in lines}
    # imported by a shorter name
    assert {name.removesuffix("-skinny"): extra for name, extra in found.items()} == EXTRAS
    needed = {line.partition(">")[0] for line in PROJECT["dependencies"]}
    assert not needed & EXTRAS.keys()


WITHOUT = """
import sys
sys.modules[sys.argv.pop(1)] = None
from jobs.__main__ import main
main(prog_name="halfreal")
"""
"""The command line where the library of the first argument is not installed."""


def test_a_command_without_its_extra_says_what_to_install(
    python: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    """Exit code 2, the library and what to type."""
    (tmp_path / "digits" / "real").mkdir(parents=True)
    (tmp_path / "digits" / "real" / "manifest.json").touch()
    done = python(WITHOUT, "gradio", "playground", "--data-root", tmp_path, "--port", "0")
    said = "error: gradio is not installed; install halfreal with it: pip install 'halfreal[playground]'\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_a_library_of_an_extra_is_no_unexpected_error() -> None:
    """Also where a job of several processes meets it: a scheduler does not try again."""
    assert "'halfreal[tune]'" in str(explained(ModuleNotFoundError(name="optuna")))
    assert {code_of(ModuleNotFoundError(name=library)) for library in EXTRAS} == {2}


def test_other_missing_modules_are_unexpected() -> None:
    """A broken installation is no choice of the user's."""
    assert explained(ModuleNotFoundError(name="torch")) is None
    assert code_of(ModuleNotFoundError(name="numpy")) == 1


@pytest.mark.parametrize("library", EXTRAS)
def test_no_other_command_needs_an_extra(library: str) -> None:
    """What an extra brings is imported by the command of its name alone, or where trackers are opened.

    The addresses hold for every file.
    """
    assert ADDRESSES[library]
    here = "shared/runtime/observe/trackers.py" if EXTRAS[library] == "track" else f"jobs/{EXTRAS[library]}/"
    assert all(place.startswith(here) for place in ADDRESSES[library])


def test_the_version_stands_in_one_place() -> None:
    """The metadata takes it from the code."""
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    assert SETUPTOOLS["dynamic"]["version"] == {"attr": "shared.__version__"}
    assert __version__


def test_metadata_has_ranges_and_the_lock_has_pins() -> None:
    """An environment of somebody else's may have other versions; ours has one of each, by hash, from no named index."""
    lines = [*PROJECT["dependencies"], *(line for lines in PROJECT["optional-dependencies"].values() for line in lines)]
    assert [line for line in lines if "==" in line] == []
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lock if not line.startswith(" ")]
    assert [line for line in pins if not ("==" in line and line.endswith("\\"))] == []
    assert {"torch==2.14.1", "torchvision==0.29.1"} <= {line.split(" ")[0] for line in pins}
    assert all(line.strip().startswith("--hash=sha256:") for line in lock if line.startswith(" "))


def files_of_packages() -> list[Path]:
    """Return the files of the packages, relative to the root, but for what Python compiles."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*")) if path.is_file()]
    return [path.relative_to(ROOT) for path in paths if "__pycache__" not in path.parts]


def test_every_file_of_the_packages_is_in_the_wheel() -> None:
    """Recipes, templates, style sheets and the marks of annotated packages are package data."""
    data = SETUPTOOLS["package-data"]
    patterns = [f"{package.replace('.', '/')}/{pattern}" for package, lines in data.items() for pattern in lines]
    others = [path.as_posix() for path in files_of_packages() if path.suffix != ".py"]
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(others)
    assert [name for name in others if not any(fnmatch(name, pattern) for pattern in patterns)] == []


@pytest.mark.long
def test_a_wheel_works_from_an_empty_folder(tmp_path: Path) -> None:
    """Built without a network and installed without the checkout: help, recipes, a job, its page, and from Python."""
    checkout, target, empty = tmp_path / "checkout", tmp_path / "site", tmp_path / "empty"
    for path in [*files_of_packages(), *map(Path, ("pyproject.toml", "README.md", "LICENSE"))]:
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_bytes((ROOT / path).read_bytes())
    empty.mkdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-index", "--no-deps"]
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(checkout)], check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"halfreal-{__version__}-py3-none-any.whl"
    subprocess.run([*pip, "install", *offline, "--target", str(target), str(wheel)], check=True)

    def run(*words: object) -> str:
        """Return what a Python program prints that finds the wheel and no checkout."""
        environment = os.environ | {"PYTHONPATH": str(target), "HALFREAL_REPLICATES": "1"}
        command = [sys.executable, "-P", *map(str, words)]
        done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    halfreal = target / "bin" / "halfreal"
    assert "verdict" in run(halfreal, "--help")
    assert run(halfreal, "--version").split()[-1] == __version__
    listed = run(halfreal, "recipes")
    recipes = {path.stem for path in (ROOT / "jobs" / "recipes").glob("*.toml")}
    assert all(recipe in listed for recipe in recipes)
    run(halfreal, "preprocess", "--recipe", "digits", "--limit-train", "60")
    assert (empty / "data" / "digits" / "real" / "manifest.json").is_file()
    assert [path for path in files_of_packages() if not (target / path).is_file()] == []
    said = run("-c", "import halfreal; print(halfreal.__file__, repr(halfreal.open_experiment('data/digits')))")
    assert said.split() == [str(target / "halfreal" / "__init__.py"), "halfreal.open_experiment('data/digits')"]

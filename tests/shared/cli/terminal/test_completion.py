"""Completion of words by the shell: by click's own protocol, and by a real bash that installed it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from jobs.__main__ import COMMANDS
from jobs.__main__ import main as halfreal
from shared.cli.recipes import recipe_names

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder whose volume has two experiments."""
    monkeypatch.chdir(tmp_path)
    for name in ("digits", "mine", "weights", ".hidden"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "other" / "elsewhere").mkdir(parents=True)
    return tmp_path / "data"


def offered(*words: str) -> list[str]:
    """Return what a shell offers for the last of the words, as click hands it over."""
    *before, begun = words
    made = BashComplete(halfreal, {}, "halfreal", "_HALFREAL_COMPLETE").get_completions(before, begun)
    return [item.value if item.type == "plain" else f"{item.type}:{item.value}" for item in made]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["re"], ["results", "recipes", "report"]),
        (["run", "--recipe", "em"], ["emoji"]),
        (["run", "--recipe", "digits,em"], ["digits,emoji"]),
        (["train_gan", "--recipe", "./mi"], ["file:./mi"]),
        (["results", "--experiment", ""], ["digits", "mine"]),
        (["results", "--data-root", "other", "--experiment", ""], ["elsewhere"]),
        (["results", "--data-root", "absent", "--experiment", ""], []),
        (["compare", "digits", "m"], ["mine"]),
        (["status", "d"], ["digits"]),
        (["train_mixed", "--arms", "fair,synthetic_95"], ["fair,synthetic_95_real_5"]),
        (["train_gan", "--family", "wgan"], ["wgan", "wgan_gp"]),
        (["train_gan", "--learning"], ["--learning-rate"]),
        (["run", "--set", "train_g"], ["train_gan."]),
        (["run", "--set", "train_gan.ep"], ["train_gan.epochs="]),
        (["run", "--set", "train_gun.ep"], []),
        (["recipes", "show", "emo"], ["emoji"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_words_are_completed(words: list[str], wanted: list[str]) -> None:
    """Commands, options, choices, recipes, experiments of the volume that is named, arms, settings."""
    assert offered(*words) == wanted


def test_every_recipe_and_command_is_offered() -> None:
    """All of them, for nothing typed."""
    assert offered("run", "--recipe", "") == recipe_names()
    assert offered("") == list(COMMANDS)


def test_nothing_is_said_or_imported_while_words_are_completed(
    python: Callable[..., subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that asks gets words alone: a misspelt variable is warned of when a command runs; torch stays away."""
    monkeypatch.setenv("HALFREAL_TRAIN_GAN_EPOCH", "3")
    monkeypatch.setenv("HALFREAL_STRICT", "1")
    monkeypatch.setenv("_HALFREAL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "halfreal train_gan --fam")
    monkeypatch.setenv("COMP_CWORD", "2")
    ended = python(
        "import sys, atexit; atexit.register(lambda: print(*{'torch', 'pydantic', 'numpy'} & {*sys.modules}))\n"
        "from jobs.__main__ import main; main(prog_name='halfreal')"
    )
    assert (ended.returncode, ended.stdout.split(), ended.stderr) == (0, ["plain,--family"], "")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home of the user's."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def installed(shell: str) -> str:
    """Install the completion of a shell and return what was said."""
    result = CliRunner().invoke(halfreal, ["completion", shell, "--install"], prog_name="halfreal")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(("shell", "startup"), [("bash", ".bashrc"), ("zsh", ".zshrc")])
def test_a_line_is_added_once_and_said(home: Path, shell: str, startup: str) -> None:
    """What the user has in the file stays, as a link if it was one; the second call adds nothing."""
    (home / "dotfiles").write_text("alias ll='ls -l'", encoding="utf-8")  # no end of line
    (home / startup).symlink_to("dotfiles")
    said = installed(shell)
    first = (home / startup).read_text(encoding="utf-8")
    kept, line = first.splitlines()
    script = home / ".local" / "share" / "halfreal" / f"completion.{shell}"
    assert (home / startup).is_symlink()
    assert kept == "alias ll='ls -l'"
    assert f"written: {script}\nadded to {home / startup}: {line}\n" in said
    assert str(script) in line
    assert (
        script.read_text(encoding="utf-8")
        == CliRunner().invoke(halfreal, ["completion", shell], prog_name="halfreal").output
    )
    assert f"{home / startup} reads it already" in installed(shell)
    assert (home / startup).read_text(encoding="utf-8") == first


def test_fish_finds_the_script_by_itself(home: Path) -> None:
    """Nothing but the script is written."""
    assert "added" not in installed("fish")
    files = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
    assert files == [".config/fish/completions/halfreal.fish"]


def test_folders_of_the_users_choice_are_kept_to(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG's variables and zsh's own say where files belong; spaces are quoted."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "my data"))
    monkeypatch.setenv("ZDOTDIR", str(tmp_path))
    installed("zsh")
    assert (tmp_path / "my data" / "halfreal" / "completion.zsh").is_file()
    assert f". '{tmp_path}/my data/halfreal/completion.zsh';" in (tmp_path / ".zshrc").read_text(encoding="utf-8")
    assert [*home.iterdir()] == []


ASK = """
. ~/.bashrc
compopt() { :; }  # bash has it while it completes for a person
ask() {
  COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=()
  _halfreal_completion halfreal
  echo "${COMPREPLY[@]}"
}
complete -p halfreal
ask halfreal res
ask halfreal run --recipe em
ask halfreal results --experiment mi
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes(home: Path, tmp_path: Path) -> None:
    """A real bash that reads the user's file asks a real halfreal."""
    program = tmp_path / "bin" / "halfreal"
    program.parent.mkdir()
    code = "from jobs.__main__ import main; main(prog_name='halfreal')"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    installed("bash")
    surroundings = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(["bash", "-c", ASK], env=surroundings, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    registered, *answers = ended.stdout.splitlines()
    assert re.fullmatch(r"complete .*-F _halfreal_completion halfreal", registered)
    assert answers == ["results", "emoji", "mine"]


def test_a_shell_that_is_not_known_is_refused(home: Path) -> None:
    """Exit code 2 and those that there are; nothing is written."""
    result = CliRunner().invoke(halfreal, ["completion", "bsh", "--install"], prog_name="halfreal")
    assert result.exit_code == 2
    assert "did you mean bash?" in result.stderr
    assert [*home.iterdir()] == []

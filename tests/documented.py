"""The commands shown in the documents, checked without running any, by a function per program in PROGRAMS.

A command of halfreal goes through click's own parser and types; no callback runs, so that no recipe, volume or device
has to exist.
"""

import copy
import importlib.util
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import yaml

from jobs.__main__ import main as halfreal
from jobs.pipeline import JOBS
from shared.cli.common_options import check_name
from tests.containers.files import OVERLAYS, ROOT, VARIABLE, compose

RECIPES = {path.stem for path in (ROOT / "jobs" / "recipes").glob("*.toml")}
SERVICES: dict[str, Any] = compose()["services"]
JOB_NAMES = {row.name for row in JOBS}
K8S_JOBS = {"job/" + row.name.replace("_", "-") for row in JOBS}

FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
"""A block between fences, within a list item too: indentation, language, text."""

SEPARATORS = {"&&", "||", ";", "|", "&"}

FREE_VARIABLES = {
    *("HALFREAL_FAIL_AT", "HALFREAL_FAIL_WITH", "HALFREAL_STEPS"),  # see shared.disk.steps
    "HALFREAL_CACHE_GB",
    "HALFREAL_DEBUG",
    "HALFREAL_LOCK_TIMEOUT_S",
    "HALFREAL_PROGRESS_S",
    "HALFREAL_RANK_TIMEOUT_S",
    "HALFREAL_STRICT",
    "HALFREAL_STORE_TIMEOUT_S",
    "HALFREAL_TEST_DATA",
    "PYTHONPATH",
}
"""Variables of halfreal, and of Python, that are no option of a command."""


class WrongCommandError(Exception):
    """A document shows a command that would be refused."""


def need(condition: bool, message: str) -> None:
    """Raise WrongCommandError unless the condition holds."""
    if not condition:
        raise WrongCommandError(message)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document: its language, its text, and the line on which it begins."""

    path: Path
    line: int
    language: str
    text: str


def blocks(path: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a Markdown file."""
    text = path.read_text(encoding="utf-8")
    for match in FENCED.finditer(text):
        yield Block(path, text[: match.start()].count("\n") + 1, match[2], dedent(match[3]))


def without_blocks(path: Path) -> str:
    """Return a Markdown file with its fenced blocks left out."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def inline_code(path: Path) -> list[str]:
    """Return the inline code of a Markdown file, without that in fenced blocks; what spans lines becomes one line."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", without_blocks(path))]


def check_script(text: str) -> None:
    """Check each command of a shell script; WrongCommandError names the first that would be refused."""
    folder = ROOT
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        lexer = shlex.shlex(re.sub(r"(^|\s)#.*$", "", line), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word not in SEPARATORS:
                words.append(word)
            elif words:
                try:
                    folder = check_command(words, folder)
                except (WrongCommandError, click.ClickException) as error:
                    message = error.format_message() if isinstance(error, click.ClickException) else str(error)
                    raise WrongCommandError(f"{' '.join(words)}: {message}") from error
                words = []


def check_command(words: list[str], folder: Path) -> Path:
    """Check one command that runs in `folder`; return the folder in which the next one runs."""
    while words and (match := re.fullmatch(r"([A-Z][A-Z0-9_]*)=(.*)", words[0])):
        check_variable(match[1], match[2])
        words = words[1:]
    if not words:
        return folder
    program, *arguments = words
    if program == "cd":
        need((folder / arguments[0]).is_dir(), "no such folder")
        return folder / arguments[0]
    need(program in PROGRAMS, f"unknown program {program!r}; add it to PROGRAMS of tests/documented.py")
    PROGRAMS[program](arguments)
    return folder


@cache
def options_by_variable() -> dict[str, tuple[click.Command, click.Parameter]]:
    """Return the option of a job that each environment variable sets."""
    found: dict[str, tuple[click.Command, click.Parameter]] = {}
    for name in JOB_NAMES:
        command = subcommand(halfreal, name)
        for param in command.params:
            own = [param.envvar] if isinstance(param.envvar, str) else list(param.envvar or ())
            for variable in (*own, f"HALFREAL_{name}_{param.name}".upper()):
                found[variable] = (command, param)
    return found


def check_variable(name: str, value: str | None = None) -> None:
    """Check the name of an environment variable, and the value where it sets an option of a job."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    in_compose = {*dict(VARIABLE.findall(text)), *re.findall(r"^ +([A-Z_]+): ", text, re.MULTILINE)}
    if name in options_by_variable():
        command, param = options_by_variable()[name]
        if value is not None and name not in ("HALFREAL_RECIPE", "HALFREAL_EXPERIMENT"):
            param.type_cast_value(click.Context(command), value)
    else:
        need(name in in_compose or name in FREE_VARIABLES, f"nothing reads the variable {name}")


def subcommand(group: click.Command, name: str) -> click.Command:
    """Return a group's command; WrongCommandError if it has none of that name."""
    assert isinstance(group, click.Group)
    found = group.get_command(click.Context(group), name)
    if found is None:
        raise WrongCommandError(f"{group.name} has no command {name!r}")
    return found


def check_halfreal(words: list[str]) -> None:
    """Check the words after `halfreal`."""
    check_click(halfreal, words)


def check_click(command: click.Command, words: list[str]) -> None:
    """Let click parse words and convert values as it would before it ran the command, without any callback."""
    context = command.context_class(command, info_name=command.name, **command.context_settings)
    given, rest, _ = command.make_parser(context).parse_args(list(words))
    values: dict[str, Any] = {}
    for param in command.get_params(context):
        plain = copy.copy(param)
        plain.callback = None
        value, _ = plain.consume_value(context, given)
        values[str(param.name)] = plain.process_value(context, value)
        _check_value(param, values[str(param.name)])
    if command.name == "launch":
        check_click(subcommand(halfreal, values["job"]), list(values["options"]))
    elif rest:
        need(isinstance(command, click.Group), f"{command.name} takes no {rest[0]!r}")
        check_click(subcommand(command, rest[0]), rest[1:])


def _check_value(param: click.Parameter, value: Any) -> None:
    """Check what click leaves to callbacks: recipe names, and the options in `--set`."""
    if str(param.metavar).startswith("NAME|FILE.toml"):
        for name in value.split(",") if "," in str(param.metavar) else [value]:
            need(name in RECIPES or name.isupper() or name.endswith(".toml"), f"no recipe {name!r}")
    if "--set" in param.opts:
        for pair in value or ():
            match = re.fullmatch(r"(\w+)\.(\w+)=(.+)", pair)
            need(match is not None and match[1] in JOB_NAMES, f"--set {pair}: no job.option=value")
            assert match is not None
            check_option(match[1], match[2], match[3])


def check_option(job: str, option: str, value: str) -> None:
    """Check that a job has an option by this name, which takes this value."""
    command = subcommand(halfreal, job)
    params = [param for param in command.params if param.name == option]
    need(bool(params), f"{job} has no option {option!r}")
    params[0].type_cast_value(click.Context(command), value)


def check_python(words: list[str]) -> None:
    """Check `python -m MODULE ...`: the module exists, and a job's takes the words."""
    need(words[:1] == ["-m"] and len(words) > 1, "want python -m MODULE")
    module, *arguments = words[1:]
    if module == "jobs" or module.startswith("jobs."):
        check_halfreal(module.split(".")[1:] + arguments)
    else:
        # to look for pip takes away setuptools' distutils, for which torch's compiler looks later in this process
        need(module == "pip" or importlib.util.find_spec(module) is not None, f"no module {module}")


def check_make(words: list[str]) -> None:
    """Check `make TARGET NAME=VALUE`: the Makefile has the target and reads the variable."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        name, equals, _ = word.partition("=")
        if equals:
            need(f"$({name})" in text, f"the Makefile reads no {name}")
        else:
            need(re.search(rf"^{re.escape(name)}:", text, re.MULTILINE) is not None, f"no target {name}")


FLAGS = {
    "up": {"--attach-dependencies", "--build", "--detach", "-d"},
    "run": {"--rm", "--no-deps", "--build"},
    "build": {"--no-cache"},
    "cp": set[str](),
    "down": {"-v"},
    "logs": {"--follow", "-f"},
    "config": {"-q"},
}
"""The flags of `docker compose` that the documents may use, by its command."""


def check_docker(words: list[str]) -> None:
    """Check `docker compose ...` against compose.yaml and `docker build ...` against the Dockerfile."""
    if words[0] == "compose":
        check_compose(words[1:])
    elif words[0] == "build":
        text = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
        for option, value in pairwise(words):
            exists = {"-f": (ROOT / value).is_file(), "--target": f" AS {value}\n" in text}
            exists |= {"--build-arg": f"ARG {value.partition('=')[0]}" in text}
            need(exists.get(option, True), f"{option} {value}: not there")
    else:
        need(words[0] in {"tag", "push", "image", "version"}, f"docker {words[0]}: unknown")


def check_compose(words: list[str]) -> None:
    """Check `docker compose`: files, profiles and services exist; a service's command takes what follows it."""
    profiles = {profile for service in SERVICES.values() for profile in service.get("profiles", ())} | {"*"}
    while words and words[0] in ("-f", "--profile"):
        known = (ROOT / words[1]).is_file() if words[0] == "-f" else words[1] in profiles
        need(known, f"{words[0]} {words[1]}: not there")
        words = words[2:]
    need(bool(words) and words[0] in FLAGS, f"docker compose {' '.join(words[:1])}: unknown")
    command, *arguments = words
    while arguments and arguments[0].startswith("-"):
        if arguments[0] in ("--scale", "-e"):
            name, _, value = "".join(arguments[1:2]).partition("=")
            if arguments[0] == "-e":
                check_variable(name, value)
            else:
                need(name in SERVICES, f"{arguments[1:2]}: no such service")
            arguments = arguments[1:]
        else:
            need(arguments[0] in FLAGS[command], f"docker compose {command} {arguments[0]}: unknown")
        arguments = arguments[1:]
    if command == "cp":
        need(arguments[0].partition(":")[0] in SERVICES, f"no service {arguments[0]!r}")
    elif command == "run":
        need(arguments[0] in SERVICES, f"no service {arguments[0]!r}")
        service = SERVICES[arguments[0]]
        if service.get("entrypoint", [""])[0] == "halfreal":
            check_halfreal([*service["entrypoint"][1:], *(arguments[1:] or service.get("command", []))])
    else:
        need(set(arguments) <= SERVICES.keys(), f"no service {sorted(set(arguments) - SERVICES.keys())}")


VERBS = {"apply", "get", "logs", "wait", "exec", "cp", "delete", "kustomize", "describe", "port-forward"}
PAGES = {f"{kind}/{page}-digits" for kind in ("deployment", "service") for page in ("playground", "tensorboard")}


def check_kubectl(words: list[str]) -> None:
    """Check `kubectl`: a known verb, files and folders that exist, what the experiment `digits` has, the one pod."""
    need(bool(VERBS & set(words)), f"none of {', '.join(sorted(VERBS))}")
    for option, value in pairwise(words):
        if option in ("-k", "-f") and value.startswith("k8s/"):
            need((ROOT / value).exists(), f"{value}: not there")
    pod = yaml.safe_load((ROOT / "k8s" / "volume-pod.yaml").read_text(encoding="utf-8"))["metadata"]["name"]
    for word in words:
        need(not word.startswith("job/") or word.removesuffix("-digits") in K8S_JOBS, f"no {word}")
        need(not word.startswith(("deployment/", "service/")) or word in PAGES, f"no {word}")
        need(not word.startswith("pod/") or word == f"pod/{pod}", f"no {word}")


def check_run_script(words: list[str]) -> None:
    """Check `k8s/run.sh OVERLAY EXPERIMENT`, or `k8s/render.sh` of the same."""
    need(len(words) <= 2 and set(words[:1]) <= set(OVERLAYS), f"no overlay {words}")
    for name in words[1:]:
        check_name(name, "EXPERIMENT")


def accept(words: list[str]) -> None:
    """Accept any arguments of a foreign program."""


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "halfreal": check_halfreal,
    ".venv/bin/halfreal": check_halfreal,
    "python": check_python,
    ".venv/bin/python": check_python,
    "make": check_make,
    "docker": check_docker,
    "kubectl": check_kubectl,
    **dict.fromkeys(("k8s/run.sh", "k8s/render.sh"), check_run_script),
    **dict.fromkeys(("apt-get", "argo", "cp", "mkdir", "git", "minikube", "kustomize", "pipx", "uv"), accept),
}

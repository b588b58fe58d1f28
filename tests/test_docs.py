"""The documents: every command that they show parses, every link resolves, lines and pages keep their length."""

import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
import yaml
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from tests.containers.files import ROOT
from tests.documented import (
    JOB_NAMES,
    PROGRAMS,
    Block,
    WrongCommandError,
    blocks,
    check_script,
    check_variable,
    inline_code,
    subcommand,
    without_blocks,
)

PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "k8s" / "README.md"]
"""The documents for users, whose commands and lines are checked."""

DOCUMENTS = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "shared" / "format" / "README.md"]

README_LINES, COLUMNS = 130, 100

every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def blocks_in(*languages: str) -> list[Block]:
    """Return the fenced blocks of every document in these languages."""
    return [block for path in DOCUMENTS for block in blocks(path) if block.language in languages]


def place(block: Block) -> str:
    """Return where a block begins, as the name of a test."""
    return f"{block.path.relative_to(ROOT)}:{block.line}"


@pytest.mark.parametrize("block", blocks_in("sh"), ids=place)
def test_every_command_parses(block: Block) -> None:
    """Each command in a shell block would be accepted by the program that it calls."""
    check_script(block.text)


@every_document
def test_commands_within_the_text_parse(path: Path) -> None:
    """The same for commands in running text, which may leave out what is required or have a <placeholder>."""
    for code in inline_code(path):
        plain = not re.search(r"<|\.\.\.|\|", code)
        if plain and code.partition(" ")[0] in PROGRAMS and " " in code:
            try:
                check_script(code)
            except WrongCommandError as error:
                if not isinstance(error.__cause__, click.MissingParameter):
                    raise


@every_document
def test_options_and_variables_within_the_text_exist(path: Path) -> None:
    """Each `--option` and each HALFREAL_ variable that a text names is one of halfreal's, or one listed here."""
    others = {
        "--array",
        "--attributes",
        "--attach-dependencies",
        "--build-arg",
        "--draws",
        "--gan",
        "--gans",
        "--metrics",
        "--no-deps",
        "--profile",
        "--rm",
        "--scale",
        "--sets",
        "--target",
    }
    known = others | {option for command in every_command(halfreal) for option in options(command)}
    for code in inline_code(path):
        for option in re.findall(r"(?:^|\s)(--[a-z][\w-]*)", code):
            assert option in known, code
        for name in re.findall(r"\bHALFREAL_[A-Z0-9_]*[A-Z0-9]\b(?!_?<)", code):
            check_variable(name)


def every_command(command: click.Command) -> list[click.Command]:
    """Return a command and all below it."""
    if not isinstance(command, click.Group):
        return [command]
    names = command.list_commands(click.Context(command))
    return [command, *(each for name in names for each in every_command(subcommand(command, name)))]


def options(command: click.Command) -> list[str]:
    """Return the options of a command as they are typed."""
    return ["--help", *(text for param in command.params for text in (*param.opts, *param.secondary_opts))]


@pytest.mark.parametrize(
    "script",
    [
        "halfreal run --recipy digits",
        "halfreal run --recipe digit",
        "halfreal run --set train_gan.epoch=3",
        "halfreal run --set train_gan.epochs=many",
        "halfreal rum",
        "halfreal train_gan --family wgan-gp",
        "halfreal export",
        "halfreal sample --class 7 17",
        "halfreal launch train_gan --epoch 3",
        "halfreal compare A B --referenc C",
        "python -m jobs.train_gan --epoch 3",
        "python -m tests.bench.nothing",
        "HALFREAL_TRAIN_GAN_EPOCH=3 halfreal run",
        "HALFREAL_TRAIN_GAN_EPOCHS=many halfreal run",
        "make demos",
        "make demo DATA=x",
        "docker compose up reports",
        "docker compose up --rm report",
        "docker compose --profile board up",
        "docker compose run --rm train_gan --epoch 3",
        "docker compose cp repor:/data/x .",
        "docker build -f Dockerfile .",
        "kubectl apply -k k8s/overlays/none",
        "kubectl logs job/train_gan",
        "k8s/run.sh none",
        "cd nowhere && make demo",
        "frobnicate",
    ],
)
def test_a_wrong_command_is_found(script: str) -> None:
    """What a program would refuse, or what does not exist, is refused here too, after a right command as well."""
    for text in (script, f"make demo    # right\n{script} \\\n"):
        with pytest.raises(WrongCommandError):
            check_script(text)


@pytest.mark.parametrize("block", blocks_in("toml"), ids=place)
def test_every_recipe_resolves(block: Block, tmp_path: Path) -> None:
    """Each TOML block is a recipe that every job accepts."""
    own = tmp_path / "own.toml"
    own.write_text(block.text, encoding="utf-8")
    shown = CliRunner().invoke(halfreal, ["recipes", "show", str(own)])
    assert shown.exit_code == 0, shown.output
    assert tomllib.loads(shown.output).keys() >= JOB_NAMES - {"report"}


@every_document
def test_every_block_is_of_a_known_kind(path: Path) -> None:
    """Blocks name their language; those in Python and YAML are well-formed."""
    for block in blocks(path):
        assert block.language in ("sh", "toml", "python", "yaml", "text", ""), place(block)
        if block.language == "python":
            compile(block.text, place(block), "exec")
        if block.language == "yaml":
            yaml.safe_load(block.text)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", without_blocks(path), re.MULTILINE):
        text = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = sum(bool(re.fullmatch(rf"{re.escape(text)}(-\d+)?", other)) for other in found)
        found.add(f"{text}-{count}" if count else text)
    return found


def links(path: Path) -> list[str]:
    """Return the targets of a page's links and pictures, but for those on the web."""
    found = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", without_blocks(path)))
    return [unquote(target) for target in found if not re.match(r"https?://|mailto:", target)]


@every_document
def test_every_link_resolves(path: Path) -> None:
    """Each relative link leads to a file of the project, each anchor to a heading there."""
    for target in links(path):
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.is_relative_to(ROOT), target
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def test_the_readme_leads_to_every_page() -> None:
    """Each page is linked from README."""
    linked = {(ROOT / target.partition("#")[0]).resolve() for target in links(ROOT / "README.md")}
    assert [path.name for path in DOCUMENTS if path not in linked and path != ROOT / "README.md"] == []


def test_the_readme_is_short() -> None:
    """README fits on a few screens, tables and commands as well."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= README_LINES
    assert [line for line in lines if len(line) > COLUMNS] == []


@every_page
def test_lines_are_short(path: Path) -> None:
    """Text and blocks keep to 100 columns; tables and lines that are one URL may be longer."""
    lines = path.read_text(encoding="utf-8").splitlines()
    long = [line for line in lines if len(line) > COLUMNS and not line.lstrip().startswith("|")]
    assert [line for line in long if not re.fullmatch(r"\s*(\* |\[.*\]: )?\S*https?://\S+", line)] == []


def library_rows() -> list[list[str]]:
    """Return the cells of each row of the table of libraries."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Libraries")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_every_library_has_a_row() -> None:
    """Each dependency and extra is in the table of libraries; no row is of a library that nothing depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {name.lower() for row in library_rows() for name in row[0].split(", ")}
    apart = {"deflate", "simplejpeg"}  # in the row of Pillow
    extras = [line for extra, lines in project["optional-dependencies"].items() if extra != "test" for line in lines]
    needed = [*project["dependencies"], *extras]
    assert named | apart == {re.split(r"[=<>!~ ]", line)[0].lower() for line in needed}


def test_tests_that_the_table_of_libraries_names_exist() -> None:
    """What is said to be held equal has a test of that name."""
    named = {test for row in library_rows() for test in re.findall(r"`(test_\w+)`", row[3])}
    assert len(named) >= 12
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named - defined == set()

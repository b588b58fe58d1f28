"""Words that a reader would stumble over, or that point to papers which are not in the project."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

SUFFIXES = (".py", ".md", ".toml", ".yaml", ".html", ".sh", ".env.example", "Makefile", "Dockerfile", "run")

AVOIDED = {
    "anew": "again, or rebuilt",
    "beside": "next to, or besides",
    r"stands?(?!-)": "is, exists, lies",
    "whatever": "any, or what exactly",
    r"(?:come|comes|came) to(?! (?:a|the|its|their) (?:stop|end))": "amount to, result in",
    "mend(?:s|ed)?": "fix, repair",
    "so many": "that many, or a number",
    r"seeds? S[0-4]": "the name of the published system",
    r"S[0-4]\.\d+": "the name of the published system",
}
"""A pattern of whole words, and what to write in its place."""

OF = re.compile(r'(?:^|[.;:!?] |"""|# |")Of (?!course)[a-z]')
"""Sentences that begin with "Of"."""


FOLDERS = ("halfreal", "jobs", "shared", "supply", "tests", "docs", "docker", "k8s", ".ci", ".github")


@cache
def texts() -> dict[str, str]:
    """Return the text of every file that people write, by its path; not of this one."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")] + list(ROOT.glob("*"))
    names = {
        path.relative_to(ROOT).as_posix(): path for path in paths if path.is_file() and path.name != "test_words.py"
    }
    return {name: path.read_text(encoding="utf-8") for name, path in sorted(names.items()) if name.endswith(SUFFIXES)}


def found(pattern: re.Pattern[str], files: dict[str, str]) -> list[str]:
    """Return `path:line: text` of each line that matches."""
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("word", AVOIDED)
def test_a_word_that_is_avoided_is_nowhere(word: str) -> None:
    """Plain terms of the field, in code, documents and manifests alike."""
    assert found(re.compile(rf"\b(?:{word})\b", re.IGNORECASE), texts()) == [], f"write: {AVOIDED[word]}"


def test_no_sentence_begins_with_of() -> None:
    """Word order as a native reader expects it."""
    assert found(OF, texts()) == []


def test_the_search_finds_what_it_should() -> None:
    """The patterns match the words alone: no part of another word."""
    sample = {"a.md": "made anew", "b.py": "# Of all chance.", "c.md": "recommended; a stand-in; we understand"}
    assert found(re.compile(r"\b(?:anew)\b"), sample) == ["a.md:1: made anew"]
    assert found(OF, sample) == ["b.py:1: # Of all chance."]
    stand = next(word for word in AVOIDED if word.startswith("stands"))
    assert not found(re.compile(rf"\b(?:{stand})\b|\b(?:mend)\b"), {"c.md": sample["c.md"]})

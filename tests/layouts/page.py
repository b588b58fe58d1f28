"""The page docs/layouts.md, from the table."""

from tests.layouts.model import Layout, Read, Wrong
from tests.layouts.rows import LAYOUTS, counts

HEAD = """# Layouts

People keep labelled images in many ways. Each row of this table is a layout from the documentation
or an issue thread of the tool that writes it, made small by a test, read by `preprocess`, and
checked image by image: class, split and group. `DIR` is where the files are.

{total} layouts: {read} are read, {refused} are refused with what to do instead, {wrong} are wrong.

What the answers have in common is in [your own images](own-images.md). The table is made by
`python -m tests.layouts` from `tests/layouts/`; a layout that is missing is a row there.

| layout | written by | how to read it | answer |
|---|---|---|---|
"""


def page() -> str:
    """Return the whole page."""
    found = counts()
    head = HEAD.format(total=sum(found.values()), read=found["read"], refused=found["refused"], wrong=found["wrong"])
    return head + "".join(map(_line, LAYOUTS))


def _line(row: Layout) -> str:
    """Return a row of the table."""
    path = "/".join(["DIR", *([row.path] if row.path else [])])
    words = " ".join(_quoted(word) for word in (*row.words[:2], "--source-path", path, *row.words[2:]))
    cells = [row.name, f"[{row.writer}]({row.url})", f"`{words}`", _answer(row)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _quoted(word: str) -> str:
    """Return a word as a shell takes it."""
    return f"'{word}'" if any(letter in word for letter in r"()\{}*$|") else word


def _answer(row: Layout) -> str:
    """Return what happens, in a few words."""
    if isinstance(row.outcome, Wrong):
        return f"**wrong**: {row.outcome.why}"
    if isinstance(row.outcome, Read):
        has = [*(["its splits"] if row.outcome.splits else []), *(["its groups"] if row.outcome.grouped else [])]
        return "read" + (f", with {' and '.join(has)}" if has else "")
    return f"refused; {row.outcome.instead}"

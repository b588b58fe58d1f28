"""How the templates of all pages are read: the report's own, and those of commands in its style."""

from collections.abc import Callable, Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from shared.plots import formatting


def page_template(path: Path, formats: Iterable[str], **filters: Callable[..., object]) -> Template:
    """Return the template at `path`, which may include the report's own; these have the style sheet of all pages.

    `formats` are the functions of `shared.plots.formatting` that it calls, by name, `filters` its other ones.
    """
    environment = Environment(
        loader=FileSystemLoader([path.parent, Path(__file__).parent]),
        # class names and messages are the user's
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,  # a name that the template has wrong fails the job, not a reader
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(formatting, name) for name in formats} | filters
    return environment.get_template(path.name)

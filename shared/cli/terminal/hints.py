"""What click says of a typing mistake, with what was probably meant."""

import re
from itertools import pairwise
from pathlib import Path

import click

from shared.cli.options import LONG_DASHES, nearest
from shared.cli.recipes import recipe_names
from shared.cli.terminal.experiments import experiment_names

TYPED = "halfreal.typed"
"""The key of click's context under which the words of a call are."""


def with_hint(error: click.ClickException) -> str:
    """Return what is wrong with a call, in one line, and what to type instead where that can be told."""
    message = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return message
    words: list[str] = context.meta.get(TYPED, [])
    dashed = next((word for word in words if word.startswith(tuple(LONG_DASHES))), None)
    if dashed is not None:
        return f"{dashed} begins with a long dash, which text programs make of two short ones; type {_option(dashed)}"
    if isinstance(error, click.NoSuchOption):
        word = _whole(error.option_name, words)
        return f"No such option {word!r}{option_hint(context, word)}"
    if isinstance(error, click.BadParameter):
        return _value(message, error.param and error.param.type)
    if message.startswith("Got unexpected extra argument"):
        loose = (_loose(context, word) for word in _loose_words(words))
        return message + (_after_switch(context, words) or next(filter(None, loose), ""))
    return message


def option_names(context: click.Context) -> list[str]:
    """Return the flags of the command of `context`."""
    return [name for param in _options(context) for name in (*param.opts, *param.secondary_opts)]


def option_hint(context: click.Context, option: str) -> str:
    """Return what to type in place of an unknown option, as the end of a sentence; nothing where nothing is like it."""
    if hint := nearest(option, option_names(context)):
        return hint
    if isinstance(context.command, click.Group):
        return f"; the options of a command come after its name: {context.command_path} COMMAND {option}"
    # a command that hands options on to others knows theirs
    others = getattr(context.command, "option_of_others", None)
    return "" if others is None else str(others(option))


def _options(context: click.Context) -> list[click.Option]:
    return [param for param in context.command.get_params(context) if isinstance(param, click.Option)]


def _option(word: str) -> str:
    """Return a word as the option that it was meant to be."""
    return f"--{word.lstrip(f'-{LONG_DASHES}')}"


def _whole(option: str, words: list[str]) -> str:
    """Return the word that was typed: of -seed click names the first letter, as a flag."""
    single = len(option) == 2 and option[1] != "-"
    return next((word.partition("=")[0] for word in words if single and word.startswith(option)), option)


def _value(message: str, kind: object) -> str:
    """Return what is wrong with a value of click's type `kind`: with a number that is none, an unknown choice."""
    if found := re.search(r"'([^']*)' is not a valid (integer|float)( range)?\.?$", message):
        text = found[1]
        number, instead = (
            ("number", f", such as {text.replace(',', '.')}") if found[2] == "float" else ("whole number", "")
        )
        comma = f" without a comma{instead}" if "," in text else ""
        return f"{message[: found.start()]}{text!r}; want a {number}{comma}"
    found = re.search(r"'([^']*)' is not one of ", message)
    return (
        message.rstrip(".") + nearest(found[1], map(str, kind.choices))
        if found and isinstance(kind, click.Choice)
        else message
    )


def _after_switch(context: click.Context, words: list[str]) -> str:
    """Return which switch a value follows, as the end of a sentence; nothing if none does."""
    switches = {name for param in _options(context) if param.is_flag for name in (*param.opts, *param.secondary_opts)}
    found = (flag for flag, value in pairwise(words) if flag in switches and not value.startswith("-"))
    return next((f"; {flag} is a switch, it takes no value" for flag in found), "")


def _loose_words(words: list[str]) -> list[str]:
    """Return the words that are no options and do not follow one, whose value they could be."""
    return [word for before, word in pairwise(["", *words]) if not before.startswith("-") and not word.startswith("-")]


def _loose(context: click.Context, word: str) -> str:
    """Return what a word that belongs to nothing was meant to be, as the end of a sentence; nothing if none knows."""
    names = option_names(context)
    name, equals, value = word.partition("=")
    flag = _option(name).replace("_", "-")
    if equals and flag in names:
        return f"; did you mean {flag} {value}?"
    if equals and "." in name and "--set" in names:
        return f"; did you mean --set {word}?"
    if "--recipe" in names and word in recipe_names():
        return f"; did you mean --recipe {word}?"
    if "--experiment" in names and word in experiment_names(context.params.get("data_root") or Path("data")):
        return f"; did you mean --experiment {word}?"
    above = context.parent
    if above is not None and isinstance(above.command, click.Group) and word in above.command.list_commands(above):
        return f"; did you mean {above.command_path} {word}?"
    return ""

"""A job's options as a dataclass: what its fields define, and values that another option owns."""

from dataclasses import dataclass
from typing import Any

import click
import pytest

from jobs.train_mixed.options import MixedOptions
from shared.cli.click_options import click_options
from shared.cli.options import (
    JobOptions,
    Replaced,
    Within,
    check_recipe,
    listed,
    merge,
    nearest,
    option,
    recorded,
    specs,
    value_types,
)
from shared.errors import BadConfig


@dataclass(frozen=True, kw_only=True)
class ToyOptions(JobOptions):
    """Options of a toy."""

    kind: str = option("plain", "Kind of toy.", "toy", choices={"plain": 1, "deep": 2})
    rate: float | None = option(None, "Rate of the toy.", "work", owner="kind", within=Within(0, above=True))
    labels: bool | None = option(None, "Use labels.", "work", owner="kind", negative="unlabelled")
    width: int = option(16, "Width of the toy.", "toy", within=Within(1, 64))
    mirror: bool = option(False, "Mirror the toy.", "work")
    plan: str = option("{}", "Plan of the toy.", "work", metavar="JSON", table=True)
    helpers: int = option(1, "Number of helpers.", "run", recorded=False)


KEPT = {"width": 8}

MERGED: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "no owner is named": ([{"rate": 1.0}, KEPT], {"rate": 1.0, **KEPT}),
    "the same value": ([{"kind": "plain", "rate": 1.0}, {"kind": "plain"}], {"kind": "plain", "rate": 1.0}),
    "the default's value": ([{"rate": 1.0}, {"kind": "plain"}], {"kind": "plain", "rate": 1.0}),
    "another value": ([{"rate": 1.0, "labels": True, **KEPT}, {"kind": "deep"}], {"kind": "deep", **KEPT}),
    "given along with it": ([{"rate": 1.0}, {"kind": "deep", "rate": 2.0}], {"kind": "deep", "rate": 2.0}),
    "given after it": ([{"rate": 1.0}, {"kind": "deep"}, {"rate": 3.0}], {"kind": "deep", "rate": 3.0}),
    "there and back": (
        [{"kind": "deep", "rate": 1.0}, {"kind": "plain"}, {"kind": "deep"}],
        {"kind": "deep"},
    ),
}


@pytest.mark.parametrize("case", MERGED)
def test_owned_values_are_dropped_with_their_owners_value(case: str) -> None:
    """Values of lower layers hold until a layer changes their owner; values without an owner stay."""
    layers, expected = MERGED[case]
    assert merge(ToyOptions, [("", layer) for layer in layers])[0] == expected


def test_a_change_of_an_owner_is_recorded_with_its_source() -> None:
    """Each change of an owner is recorded: old and new value, the layer, and the values that were dropped."""
    layers = [("recipe a", {"rate": 1.0, "width": 8}), ("recipe b", {"kind": "deep"})]
    assert merge(ToyOptions, layers)[1] == [Replaced("kind", "plain", "deep", "recipe b", {"rate": 1.0})]


def test_types_and_order_come_from_the_fields() -> None:
    """The job's own options come in their order, the seed last; `| None` is no type of its own."""
    assert list(specs(ToyOptions)) == ["kind", "rate", "labels", "width", "mirror", "plan", "helpers", "seed"]
    assert value_types(ToyOptions) == {
        "kind": str,
        "rate": float,
        "labels": bool,
        "width": int,
        "mirror": bool,
        "plan": str,
        "helpers": int,
        "seed": int,
    }


def test_options_that_change_no_result_are_not_recorded() -> None:
    """A manifest records the options as they were given: None where the owner's value decides."""
    made = recorded(ToyOptions(kind="deep", helpers=4))
    assert made == {"kind": "deep", "rate": None, "labels": None, "width": 16, "mirror": False, "plan": "{}", "seed": 0}


def test_click_gets_names_types_ranges_and_variables() -> None:
    """Click's options follow the fields: flags in pairs, ranges, keys of a table, both variables of the seed."""
    params = {str(param.name): param for param in click_options(ToyOptions, "HALFREAL_TOY")}
    assert list(params) == list(specs(ToyOptions))
    assert (params["labels"].opts, params["labels"].secondary_opts) == (["--labels"], ["--unlabelled"])
    assert (params["mirror"].opts, params["mirror"].secondary_opts) == (["--mirror"], ["--no-mirror"])
    assert isinstance(params["kind"].type, click.Choice)
    assert list(params["kind"].type.choices) == ["plain", "deep"]
    width, rate = params["width"].type, params["rate"].type
    assert isinstance(width, click.IntRange)
    assert isinstance(rate, click.FloatRange)
    assert (width.min, width.max, rate.min, rate.min_open, rate.max) == (1, 64, 0, True, None)
    assert params["rate"].envvar == ["HALFREAL_TOY_RATE"]
    assert params["seed"].envvar == ["HALFREAL_TOY_SEED", "HALFREAL_SEED"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"witdh": 3}, r"recipe r: \[toy\] has no option 'witdh'; did you mean width\?\nit has .*threads.*width"),
        ({"colour": 3}, r"has no option 'colour'\nit has"),
        ({"width": [3]}, r"width = \[3\]; want text, a number"),
        ({"width": {"a": 3}}, r"width = \{'a': 3\}; want text, a number"),
    ],
)
def test_a_recipes_table_is_checked_against_the_fields(table: dict[str, Any], words: str) -> None:
    """An unknown option is answered with the nearest name; an ordinary option takes no list or table."""
    with pytest.raises(BadConfig, match=words):
        check_recipe(ToyOptions, "recipe r: [toy]", table, ["threads"])
    check_recipe(ToyOptions, "recipe r: [toy]", {"width": 3, "threads": 1, "plan": {"a": [1]}}, ["threads"])


def test_an_option_of_an_earlier_version_is_answered_with_its_successors() -> None:
    """A recipe that sets train_mixed's seeds hears of fits and replicates, not of the seed that looks like it."""
    words = r"^recipe r: \[train_mixed\] has no option 'seeds' any more; set fits .* replicates \(--replicates\)"
    with pytest.raises(BadConfig, match=words):
        check_recipe(MixedOptions, "recipe r: [train_mixed]", {"seeds": 2}, ["threads"])
    assert MixedOptions.former.keys().isdisjoint(specs(MixedOptions))


def test_the_nearest_name_is_near() -> None:
    """Only a similar name is suggested."""
    assert nearest("epoch", ["epochs", "width"]) == "; did you mean epochs?"
    assert nearest("zebra", ["epochs", "width"]) == ""


@pytest.mark.parametrize(("text", "names"), [("a,b", ("a", "b")), (" a , ", ("a",)), ("", ()), (",", ())])
def test_names_are_joined_by_commas(text: str, names: tuple[str, ...]) -> None:
    """Blanks around names, and empty names, are ignored."""
    assert listed(text) == names

"""The card at the head of the page: the outcome in words and colour, what is broken before it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jobs.report.card import OUTCOMES, verdict_card
from jobs.report.sections import SECTIONS, shown_sections
from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT, TEST_SEEN, MixedRecord
from shared.store.records.scores import COLLAPSE, OnTest
from tests.jobs.report.contrast import contrast, variables
from tests.jobs.report.records import mixed_record

FOLDER = Path(__file__).parents[3] / "jobs" / "report"


def with_outcome(outcome: str) -> MixedRecord:
    """Return a verdict with this outcome."""
    record = mixed_record()
    assert record.headline is not None
    return record.model_copy(update={"headline": record.headline.model_copy(update={"outcome": outcome})})


def scores(*warnings: str) -> OnTest:
    """Return scores on test with these warnings, as far as a card reads them."""
    return cast("OnTest", SimpleNamespace(warnings=list(warnings)))


@pytest.mark.parametrize(
    ("outcome", "look", "words"),
    [
        (HELPED, "helped", "Helped"),
        (HURT, "hurt", "Hurt"),
        (NO_EFFECT, "no-effect", "No effect shown"),
        (COPIES, "broken", "Copies of real images"),
        (TEST_SEEN, "broken", "Test images not held out"),
    ],
)
def test_each_outcome_has_words_a_sign_and_a_colour(outcome: str, look: str, words: str) -> None:
    """No outcome is told by its colour alone."""
    card = verdict_card(with_outcome(outcome), [scores("few images")])
    assert (card.look, [badge.words for badge in card.badges]) == (look, [words])
    assert len({(badge.sign, badge.look) for badge in OUTCOMES.values()}) == 4


def test_a_broken_generator_comes_first() -> None:
    """Before what its images did, in the colour of the card, with the number of replicates; both are said."""
    card = verdict_card(with_outcome(HELPED), [scores(f"{COLLAPSE}recall 0.01"), scores(), scores()])
    assert [badge.words for badge in card.badges] == ["Broken generator: 1 of 3 collapsed", "Helped"]
    assert card.look == "broken"


def test_without_an_answer_there_is_no_badge() -> None:
    """Nothing is claimed where no two arms were compared."""
    assert verdict_card(mixed_record(headline=None, questions=[]), [scores()]).badges == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(scheme: str) -> None:
    """WCAG AA: text has a contrast of 4.5 to its paper, marks of charts one of 3, light and dark."""
    colours = variables((FOLDER / "style.css").read_text("utf-8"), scheme)
    colours |= variables((FOLDER / "report.css").read_text("utf-8"), scheme)
    texts = [
        ("ink", "paper"),
        ("ink", "card"),
        ("soft", "paper"),
        ("soft", "card"),
        ("mark", "paper"),
        ("mark", "card"),
    ]
    texts += [(f"{name}-ink", f"{name}-paper") for name in ("warn", "helped", "hurt", "none")]
    texts += [("fig-ink", "fig-paper")]
    marks = [(f"fig-c{place}", "fig-paper") for place in (0, 2, 5)] + [("fig-grey", "fig-paper")]
    marks += [(f"{name}-line", f"{name}-paper") for name in ("helped", "hurt", "none")]
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in texts}
    assert {pair: found for pair, found in weak.items() if found < 4.5} == {}
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in marks}
    assert {pair: found for pair, found in weak.items() if found < 3} == {}


def test_sections_are_questions_with_templates() -> None:
    """Each has an address of its own, asks one question, and has a file; what needs something is left out without."""
    assert len({section.id for section in SECTIONS}) == len(SECTIONS)
    for section in SECTIONS:
        assert section.question.endswith("?")
        assert section.question.count("?") == 1
        assert (FOLDER / section.template).is_file()
    needed: dict[str, Any] = {section.needs: None for section in SECTIONS if section.needs}
    assert [section for section in shown_sections(needed) if section.needs] == []
    assert shown_sections({name: [1] for name in needed}) == list(SECTIONS)

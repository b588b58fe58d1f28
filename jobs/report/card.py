"""The card that the page begins with: the answer in a colour and in words, which say the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT, TEST_SEEN, MixedRecord
from shared.store.records.scores import COLLAPSE, OnTest


@dataclass(frozen=True)
class Badge:
    """A word or two with their colour, a class of the style sheet, and a sign for who sees no colour."""

    look: str
    sign: str
    words: str


OUTCOMES = {
    HELPED: Badge("helped", "\N{BLACK UP-POINTING TRIANGLE}", "Helped"),
    HURT: Badge("hurt", "\N{BLACK DOWN-POINTING TRIANGLE}", "Hurt"),
    NO_EFFECT: Badge("no-effect", "\N{BLACK CIRCLE}", "No effect shown"),
    COPIES: Badge("broken", "\N{BALLOT X}", "Copies of real images"),
    TEST_SEEN: Badge("broken", "\N{BALLOT X}", "Test images not held out"),
}
"""How the outcome of an answer looks."""


@dataclass(frozen=True)
class Card:
    """The badges of the first answer, the most important first; `look` is that one's."""

    badges: list[Badge]

    @property
    def look(self) -> str:
        """The colour of the card."""
        return self.badges[0].look if self.badges else "no-effect"


def verdict_card(record: MixedRecord, on_test: Sequence[OnTest]) -> Card:
    """Return the card of the first answer; that a generator is broken comes before what its images did."""
    if record.top is None:
        return Card([])
    collapsed = sum(any(line.startswith(COLLAPSE) for line in scores.warnings) for scores in on_test)
    broken = f"Broken generator: {collapsed} of {len(on_test)} collapsed"
    badges = [Badge("broken", "\N{BALLOT X}", broken)] if collapsed else []
    return Card([*badges, OUTCOMES[record.top.outcome]])

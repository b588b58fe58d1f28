"""The sections of the page in its order: each answers one question; a row and a template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    """A section: its address on the page, what the contents call it, the question that it answers, its template.

    `needs` names what the templates get that must not be empty; "" where it is always shown.
    """

    id: str
    link: str
    question: str
    template: str
    needs: str = ""


SECTIONS = (
    Section("questions", "Questions", "What was asked, and what is the answer?", "questions.html", "answers"),
    Section("arms", "Arms", "How accurate is each arm?", "arms.html"),
    Section("information", "Information", "Which real images did each part see?", "information.html"),
    Section("classes", "Classes", "Which classes are recognised?", "classes.html"),
    Section("variance", "Uncertainty", "Where does the uncertainty come from?", "variance.html"),
    Section("worth", "Data equivalent", "How many real images are the synthetic ones worth?", "worth.html", "worth"),
    Section("imported", "Imported images", "Where do the synthetic images come from?", "imported.html", "imported"),
    Section("synthetic", "Synthetic images", "What do the synthetic images look like?", "synthetic.html"),
    Section("scores", "Scores", "How close are they to real images?", "scores.html"),
    Section("by-class", "Scores by class", "Which classes does the generator draw well?", "class_scores.html"),
    Section("copies", "Copies", "Are they copies of training images?", "copies.html"),
    Section("membership", "Membership", "Do they give away which images were trained on?", "membership.html"),
    Section("generator", "Generator", "How did the generator learn?", "generator.html", "gan"),
    Section("tuning", "Tuning", "Are tuned options better than the recipe's?", "tuning.html", "tuning"),
    Section("annotator", "Annotator", "How good is the annotator?", "annotator.html"),
    Section("real", "Real images", "What are the real images?", "real.html"),
    Section("every-class", "Every class", "What is known of every class?", "every_class.html", "every_class"),
    Section("lineage", "Lineage", "What was all this made from?", "lineage.html"),
)
"""Every section that a page may have."""


def shown_sections(page: Mapping[str, Any]) -> list[Section]:
    """Return the sections of a page, from what its templates get."""
    return [section for section in SECTIONS if not section.needs or page[section.needs]]

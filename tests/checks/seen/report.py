"""Planted mistakes: what the page shows first, whom its colours and labels leave out."""

from tests.checks.mutation import Mutation

CARD, EMBEDDING = "tests/jobs/report/test_card.py::", "tests/jobs/report/test_embedding.py::"

PAGE = (
    Mutation(
        "broken_after_helped",
        "jobs/report/card.py",
        "Card([*badges, OUTCOMES[record.top.outcome]])",
        "Card([OUTCOMES[record.top.outcome], *badges])",
        CARD + "test_a_broken_generator_comes_first",
        "a broken generator is said before what its images did",
    ),
    Mutation(
        "hurt_looks_like_helped",
        "jobs/report/card.py",
        'Badge("hurt",',
        'Badge("helped",',
        CARD + "test_each_outcome_has_words_a_sign_and_a_colour",
        "each outcome has its own colour",
    ),
    Mutation(
        "pale_text_on_the_card",
        "jobs/report/report.css",
        "--hurt-ink: #82071e;",
        "--hurt-ink: #e0707f;",
        CARD + "test_colours_can_be_read",
        "text on the card can be read",
    ),
    Mutation(
        "black_figures_on_dark_paper",
        "jobs/report/embedding.py",
        '{"#000000": "ink", ',
        '{"#000001": "ink", ',
        EMBEDDING + "test_colours_are_the_pages",
        "figures follow the colours of the page",
    ),
    Mutation(
        "tiny_labels_on_a_phone",
        "jobs/report/embedding.py",
        "LEAST_LABEL_PX * width / min(labels)",
        "LEAST_LABEL_PX * width / max(labels)",
        EMBEDDING + "test_the_smallest_label_can_be_read",
        "no label is below 11 px",
    ),
    Mutation(
        "a_neighbour_of_the_last_block",
        "jobs/report/interactive/neighbours.py",
        "torch.where(near < best, numbers[at], found)",
        "numbers[at]",
        EMBEDDING + "test_the_nearest_is_the_nearest",
        "the nearest training image is the nearest of all",
    ),
)
"""Mistakes of the page."""

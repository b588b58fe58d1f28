"""The answer of a study, by a rule that is fixed before anything is trained. Pure functions; no import of torch."""

from collections.abc import Sequence
from itertools import groupby

from jobs.study.points import KINDS, Kind
from shared.store.records.mixed import COPIES, HELPED, HURT
from shared.store.records.study import BETWEEN, EVERYWHERE, FROM, NOWHERE, SCATTERED, UP_TO, StudyAnswer, StudyPoint

RULE = (
    "Synthetic images helped at a point where its whole interval is above 0, at a level at which all intervals of the "
    "study together hold with 95 %. From N images on: they helped at N and at every larger number tried, and not at "
    "the next smaller one. Up to N images: they helped at N and at every smaller number tried, and not at the largest."
)
"""What an answer means; the page and the JSON say it."""


def study_answer(kind: str, points: Sequence[StudyPoint]) -> StudyAnswer:
    """Return the answer over the points of a kind, the smallest number of images first.

    Every point counts, whether its neighbours agree or not: a range of the answer holds no point that did not help.
    """
    helped = [point.headline.outcome == HELPED for point in points]
    ranges = [list(run) for is_helped, run in groupby(range(len(points)), helped.__getitem__) if is_helped]
    outcome = _outcome(ranges, len(points))
    numbers = [point.n_train for point in points]
    ends = (ranges[0][0], ranges[0][-1]) if len(ranges) == 1 else None
    return StudyAnswer(
        kind=kind,
        outcome=outcome,
        from_images=numbers[ends[0]] if ends else None,
        to_images=numbers[ends[1]] if ends else None,
        helped_at=[point.n_train for point in points if point.headline.outcome == HELPED],
        hurt_at=[point.n_train for point in points if point.headline.outcome == HURT],
        sentence=" ".join([_sentence(KINDS[kind], outcome, ranges, numbers), *_others(points)]),
    )


def _outcome(ranges: list[list[int]], count: int) -> str:
    """Return the outcome, given the places of consecutive points that helped, of `count`."""
    if not ranges:
        return NOWHERE
    if len(ranges) > 1:
        return SCATTERED
    first, last = ranges[0][0] == 0, ranges[0][-1] == count - 1
    return EVERYWHERE if first and last else FROM if last else UP_TO if first else BETWEEN


def _sentence(row: Kind, outcome: str, ranges: list[list[int]], numbers: Sequence[int]) -> str:
    """Return the answer in words; `numbers` are those of images at each point."""
    counted, helped, tried = row.counted, row.helped, _tried(numbers)
    if outcome == NOWHERE:
        return f"Not within what was tried, {tried} {counted}: {helped} is not shown to help at any number."
    if outcome == EVERYWHERE and len(numbers) == 1:
        return f"With {_about(numbers[0])} {counted}, the one number tried, {helped} helped."
    if outcome == EVERYWHERE:
        return f"At every number tried, {tried} {counted}, {helped} helped."
    if outcome == SCATTERED:
        where = _listed([numbers[place] for places in ranges for place in places])
        return f"With {where} {counted} {helped} helped, and with numbers between them that is not shown: no range."
    low, high = numbers[ranges[0][0]], numbers[ranges[0][-1]]
    if outcome == FROM:
        end = ", the largest number tried" if low == numbers[-1] else f" (tried up to {numbers[-1]:,})"
        return f"From {_about(low)} {counted} on, {helped} helped{end}; with fewer that is not shown."
    if outcome == UP_TO:
        return f"Up to {_about(high)} {counted}, {helped} helped; with more, up to {numbers[-1]:,}, that is not shown."
    where = f"With {_about(low)}" if low == high else f"From {_about(low)} to {_about(high)}"
    return f"{where} {counted} {helped} helped; neither with fewer nor with more is that shown."


def _others(points: Sequence[StudyPoint]) -> list[str]:
    """Return what must be said of points that are not among those that helped."""
    hurt = [point.n_train for point in points if point.headline.outcome == HURT]
    copied = [point.n_train for point in points if point.headline.outcome == COPIES]
    lines = [f"It hurt with {_listed(hurt)}."] if hurt else []
    # the interval is above 0 there, so that the figure alone would say something else than the sentence
    return lines + ([f"A gain with {_listed(copied)} does not count: it is from copies."] if copied else [])


def _about(number: int) -> str:
    return f"about {number:,}"


def _tried(numbers: Sequence[int]) -> str:
    return _about(numbers[0]) if len(numbers) == 1 else f"from {_about(numbers[0])} to {_about(numbers[-1])}"


def _listed(numbers: Sequence[int]) -> str:
    *most, last = [f"{number:,}" for number in numbers]
    return f"about {', '.join(most)} and {last}" if most else f"about {last}"

"""What a study says: the answer over all numbers of images, and the experiment of each number."""

from pydantic import field_serializer as serialized

from shared.store.records.base import Record
from shared.store.records.mixed import Answer, Information

FROM, UP_TO, BETWEEN, EVERYWHERE, SCATTERED, NOWHERE = (
    *("from", "up to", "between"),
    *("everywhere", "scattered", "nowhere"),
)
"""The outcomes of a study, by the points at which synthetic images helped: the largest ones, the smallest ones, some in
the middle, all, some with others between them, none."""


class StudyAnswer(Record):
    """The answer over the points of one kind, "images" or "labels", in words and in numbers of real train images.

    `from_images` and `to_images` are the ends of the range in which synthetic images helped; None where there is no one
    range. `helped_at` and `hurt_at` are the numbers at which they did.
    """

    kind: str
    outcome: str
    from_images: int | None
    to_images: int | None
    helped_at: list[int]
    hurt_at: list[int]
    sentence: str


class StudyPoint(Record):
    """A number of images and the experiment that was made with as many.

    `n_train` are the real train images with labels, `n_unlabelled` those without, `n_synthetic` the synthetic ones of
    the headline's arm. `headline` is judged at the level of the study. `information` has what the networks of its two
    arms saw. `seconds` is the computing time of all jobs and replicates together. `generators` are the hashes of the
    synthetic sets, by which a later study knows them again. `report` is where the page of the experiment is, as seen
    from the study's.
    """

    point: str
    kind: str
    percent: float
    experiment: str
    n_train: int
    n_unlabelled: int
    n_val: int
    n_test: int
    n_synthetic: int
    replicates: int
    planned: int
    added: int
    headline: Answer
    information: dict[str, Information]
    seconds: float
    generators: list[str]
    report: str | None

    @serialized("headline")
    def _for_scripts(self, headline: Answer) -> dict[str, object]:
        return headline.headline_facts()


class StudyRecord(Record):
    """The study of an experiment.

    `level` is that of each point's interval. `planned` are the points of the first answer, `added` those that came
    later, `left_out` those of either kind that are no longer there. `warnings` are whole sentences to be read first.
    """

    experiment: str
    answers: list[StudyAnswer]
    rule: str
    level: float
    planned: list[str]
    added: list[str]
    left_out: list[str]
    warnings: list[str]
    points: list[StudyPoint]

    def of_kind(self, kind: str) -> list[StudyPoint]:
        """Return the points of a kind, the smallest number of images first."""
        return [point for point in self.points if point.kind == kind]

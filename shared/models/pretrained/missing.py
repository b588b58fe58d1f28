"""What an experiment lacks while weights are missing, in words: which scores, and the command that brings them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.models.pretrained.weights import WEIGHTS_OF

INCEPTIONS = "FID, KID and the Inception Score"


@dataclass(frozen=True)
class MissingWeights:
    """Scores that were left out for want of weights: by which extractors, and the command that brings these."""

    title: str
    extractors: tuple[str, ...]
    scores: str
    command: str

    @property
    def then(self) -> str:
        """What happens once the weights are there."""
        return f"The next halfreal run then adds {self.scores}; the chosen snapshots stay."

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.title} ({', '.join(self.extractors)}). Bring them with: {self.command}. {self.then}"


def unpublished_words(extractors: Sequence[str]) -> str:
    """Return what must be said of scores by weights that nobody published; nothing without any."""
    if not extractors:
        return ""
    return f"Scores by {' and '.join(extractors)} are of weights that nobody published, made for a test: no FID"


def missing_weights(extractors: Iterable[str], place: str = "") -> list[MissingWeights]:
    """Return what is missed without these extractors; `place` are the flags that name the volume."""
    named = dict.fromkeys(extractors)
    inception = tuple(name for name in named if name.startswith("inception"))
    found = []
    if inception:
        found.append(MissingWeights("FID: weights missing", inception, INCEPTIONS, _command(inception[0], place)))
    for name in named:
        if name in WEIGHTS_OF and name not in inception:
            title = f"{name}: weights missing"
            found.append(MissingWeights(title, (name,), f"the scores by {name}", _command(name, place)))
    return found


def _command(extractor: str, place: str) -> str:
    return f"halfreal weights fetch {WEIGHTS_OF[extractor]}{place}"

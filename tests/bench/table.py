"""All benchmarks, by name."""

from tests.bench import batch_of_models
from tests.bench.row import Row
from tests.bench.rows import (
    demo,
    distance,
    drawing,
    features,
    fitting,
    loader,
    pairs,
    preparing,
    safety,
    starting,
    training,
)

ROWS: dict[str, Row] = {
    **preparing.ROWS,
    **loader.ROWS,
    **features.ROWS,
    **distance.ROWS,
    **pairs.ROWS,
    **drawing.ROWS,
    **training.ROWS,
    **fitting.ROWS,
    **batch_of_models.ROWS,
    **starting.ROWS,
    **safety.ROWS,
    **demo.ROWS,
}

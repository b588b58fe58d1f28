"""All benchmarks, by name."""

from tests.bench.row import Row
from tests.bench.rows import demo, distance, drawing, features, fitting, loader, preparing, safety, starting, training

ROWS: dict[str, Row] = {
    **preparing.ROWS,
    **loader.ROWS,
    **features.ROWS,
    **distance.ROWS,
    **drawing.ROWS,
    **training.ROWS,
    **fitting.ROWS,
    **starting.ROWS,
    **safety.ROWS,
    **demo.ROWS,
}

"""All benchmarks, by name."""

from tests.bench import demo, distance, drawing, features, fitting, loader, preparing, starting, training
from tests.bench.rows import Row

ROWS: dict[str, Row] = {
    **preparing.ROWS,
    **loader.ROWS,
    **features.ROWS,
    **distance.ROWS,
    **drawing.ROWS,
    **training.ROWS,
    **fitting.ROWS,
    **starting.ROWS,
    **demo.ROWS,
}

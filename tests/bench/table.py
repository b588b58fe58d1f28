"""All benchmarks, by name."""

from tests.bench import distance, features, loader, preparing, starting
from tests.bench.rows import Row

ROWS: dict[str, Row] = {**preparing.ROWS, **loader.ROWS, **features.ROWS, **distance.ROWS, **starting.ROWS}

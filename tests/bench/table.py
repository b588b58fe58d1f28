"""All benchmarks, by name."""

from tests.bench import distance, loader
from tests.bench.rows import Row

ROWS: dict[str, Row] = {**loader.ROWS, **distance.ROWS}

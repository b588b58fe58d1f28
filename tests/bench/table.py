"""All benchmarks, by name."""

from tests.bench import distance, loader, preparing
from tests.bench.rows import Row

ROWS: dict[str, Row] = {**preparing.ROWS, **loader.ROWS, **distance.ROWS}

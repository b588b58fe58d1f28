"""Shards to shuffled float batches, against webdataset, stylegan3's zip, litdata and mosaicml-streaming."""

from tests.bench.rows.loader import epochs, places

ROWS = epochs.ROWS | places.ROWS

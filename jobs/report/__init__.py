"""One page with every figure, table and its lineage."""

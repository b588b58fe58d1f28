"""WebDataset shards: those of other tools, and halfreal's own."""

"""Real images to train, val and test shards."""

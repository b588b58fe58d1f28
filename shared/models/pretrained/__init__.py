"""Networks that others trained: their weights on the volume, and how they are built from them."""

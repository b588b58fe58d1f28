"""Images in memory and how they are read, resized, sampled and augmented."""

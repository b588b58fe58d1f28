"""A local page on which to draw images from trained generators."""

"""Synthetic images, annotated, as shards."""

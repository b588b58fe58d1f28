"""Splits as decoded pixels: in memory where they are small, in files that processes share elsewhere."""

"""Mistakes of random splits and of what is kept of splits."""

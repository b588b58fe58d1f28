"""What may go from a volume, and removing it."""

"""What only a GPU does."""

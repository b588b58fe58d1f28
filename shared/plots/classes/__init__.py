"""Which classes of many a figure or a table shows, without matplotlib: the terminal chooses alike."""

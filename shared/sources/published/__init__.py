"""Published sets, in the files in which they are published."""

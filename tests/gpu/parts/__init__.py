"""The parts of the command: each has `measure`, which yields the rows that it finds."""

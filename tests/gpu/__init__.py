"""What runs on a GPU: tests of the paths that only a GPU takes, and benchmarks there; see `tests.gpu.__main__`."""

"""What is promised of large sets, measured: `python -m tests.checks.scale`."""

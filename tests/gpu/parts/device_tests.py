"""The tests of this folder as a part of the command: how many passed, and which did not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gpu.part import DEVICE, Row, Task


class Outcomes:
    """What became of each test; those that begin too late are left out."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.passed, self.late = 0, 0
        self.skipped: list[str] = []
        self.failed: list[str] = []

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out a test for which no time is left."""
        if self.task.left_s <= 0:
            self.late += 1
            pytest.skip("no time is left")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test."""
        name = report.nodeid.rpartition("::")[2]
        if report.failed and name not in self.failed:
            self.failed.append(name)
        elif report.skipped and "no time is left" not in str(report.longrepr):
            self.skipped.append(name)
        elif report.passed and report.when == "call":
            self.passed += 1


def measure(task: Task) -> Iterator[Row]:
    """Run the tests on the device, and yield a row with what became of them."""
    os.environ[DEVICE] = str(task.device)
    outcomes = Outcomes(task)
    # warnings of another version of torch are no failures
    words = ["-q", "-W", "default", "-p", "no:cacheprovider", "--tb=short"]
    if task.device.type == "cpu":
        words += ["-m", "not long"]
    code = pytest.main([str(Path(__file__).parents[1] / "test_device.py"), *words], plugins=[outcomes])
    parts = [f"failed: {', '.join(outcomes.failed)}"] if outcomes.failed else []
    parts += [f"no time for {outcomes.late}"] if outcomes.late else []
    parts += [f"not on this device: {', '.join(outcomes.skipped)}"] if outcomes.skipped else []
    passed = code == pytest.ExitCode.OK and not outcomes.late
    yield Row("tests of the device's paths passed", "", outcomes.passed, goal="all", met=passed, note="; ".join(parts))

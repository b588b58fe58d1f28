"""The progress of a whole run: what its jobs log moves bars on a terminal, and is a line with its time elsewhere."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.commands.running import shown
from jobs.commands.running.course import WEIGHTS, Course, said
from jobs.commands.running.shown import Display, Lines
from jobs.pipeline import JOB_NAMES, PIPELINE, PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN
from shared.cli.progress import Reporter
from shared.runtime.observe import log
from shared.runtime.observe.log import JsonLines, parsed, say

JOBS = [job.name for job in PIPELINE]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


def entry(event: str, replicate: int | None = None, job: str = "train_gan", **fields: Any) -> dict[str, Any]:
    """Return an object of a log."""
    fields = {"message": event} | fields
    return {"level": "info", "job": job, "replicate": replicate, "event": event, "fields": fields}


def progress(done: int, total: int, replicate: int | None = None, job: str = "train_gan") -> dict[str, Any]:
    """Return an object that tells of progress."""
    numbers = {"work": "train", "done": done, "total": total, "unit": "images", "per_s": 50.0, "note": ""}
    return entry("progress", replicate, job, **numbers)


def begun(clock: Clock, *names: str, replicates: int = 1) -> Course:
    """Return a course at the last of these jobs, of which those before found all of their work done."""
    course = Course(JOBS, replicates, clock)
    for name in names:
        if course.number:
            course.end()
        course.begin(name)
    return course


def test_every_job_has_a_weight() -> None:
    """Without one the time left of a run that has it is not estimated, but an error."""
    assert WEIGHTS.keys() == {*JOB_NAMES}


def test_it_is_said_which_job_of_how_many_and_how_many_replicates_are_done(clock: Clock) -> None:
    """Those that were there before count as done."""
    course = begun(clock, "preprocess", "train_classifier", "train_gan", replicates=5)
    assert course.step == "[3/7] train_gan"
    assert course.words.startswith("0 of 5 replicates, ")
    course.hear(entry("already_complete", path="/v/gan/r00"))
    course.hear(entry("complete", 1, path="/v/gan/r01"))
    assert course.words.startswith("2 of 5 replicates, ")


def test_a_job_without_replicates_counts_none(clock: Clock) -> None:
    """The real images are one artifact, however many replicates there are."""
    assert begun(clock, "preprocess", replicates=5).words == "time left of all unknown"


def test_the_time_left_is_that_of_all(clock: Clock) -> None:
    """Half of the GANs in 110 s, each percent in 4 s: the other half, and what comes after them, in 4 s each."""
    course = begun(clock, "preprocess", "train_classifier", "train_gan")
    clock.now += 110
    course.hear(progress(50, 100))
    after = sum(WEIGHTS[name] for name in ("evaluate", "synthesize", "train_mixed", "report"))
    seconds = 110 / (WEIGHTS["train_gan"] / 2) * (WEIGHTS["train_gan"] / 2 + after)
    assert course.left_s == pytest.approx(seconds)
    assert course.words == f"about {round(seconds) // 60}:{round(seconds) % 60:02d} left of all"


def test_what_was_done_before_makes_no_run_look_quick(clock: Clock) -> None:
    """Four of five replicates were there: the last one alone is what time is spent on."""
    course = begun(clock, "preprocess", "train_classifier", "train_gan", replicates=5)
    for number in range(4):
        course.hear(entry("already_complete", path=f"/v/gan/r0{number}"))
    clock.now += 55
    course.hear(progress(100, 100, 4))
    course.hear(entry("complete", 4, path="/v/gan/r04"))
    course.end()
    course.begin("evaluate")
    assert course.left_s == pytest.approx(55 / 11 * sum(WEIGHTS[name] for name in JOBS[3:]))


def test_replicates_at_work_count_as_far_as_they_are(clock: Clock) -> None:
    """Two of four halfway, one done: two of four."""
    course = begun(clock, "preprocess", "train_classifier", "train_gan", replicates=4)
    course.hear(entry("complete", 0, path="/v/gan/r00"))
    course.hear(progress(1, 2, 1))
    course.hear(progress(1, 2, 2))
    assert course.share == pytest.approx(0.5 * WEIGHTS["train_gan"] / sum(WEIGHTS[name] for name in JOBS[2:]))
    assert [work.title for work in course.at_work.values()] == ["  r01 train", "  r02 train"]
    assert course.at_work[1].words == "1/2 images, 50.0 images/s, 0:00 left"


def test_nothing_is_estimated_at_once(clock: Clock) -> None:
    """After a second, or a hundredth of the work, any number would be a guess."""
    course = begun(clock, "preprocess", "train_classifier", "train_gan")
    clock.now += 1
    course.hear(progress(90, 100))
    assert course.left_s is None
    clock.now += 100
    course.hear(progress(1, 100))
    assert course.left_s is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (entry("message", 1) | {"fields": {"message": "mode collapse"}}, "train_gan r01: mode collapse"),
        (entry("message") | {"fields": {"message": "2 replicates"}}, "train_gan: 2 replicates"),
        (entry("notice") | {"fields": {"message": "noted"}}, "noted"),
        (entry("text") | {"fields": {"message": "from C"}}, "from C"),
        (entry("error") | {"fields": {"message": "no such folder"}}, "error: no such folder"),
    ],
)
def test_what_is_no_progress_is_said_as_a_job_says_it(given: dict[str, Any], words: str) -> None:
    """With the name of the job and of the replicate where it has one."""
    assert said(given, several=True)[0] == words


@pytest.mark.parametrize("line", ["from C\n", "{not json\n", "[1]\n", "3\n", '{"event": "progress"}\n'])
def test_a_line_that_is_no_object_of_a_log_is_text(line: str) -> None:
    """Nothing that a library writes to standard error is lost, or stops the display."""
    assert (parsed(line)["event"], parsed(line)["fields"]["message"]) == ("text", line.rstrip())


SPEAKS = """
import json, os, sys
assert (os.environ["HALFREAL_LOG_FORMAT"], os.environ["HALFREAL_PROGRESS_S"]) == ("json", "1")
say = lambda event, **fields: print(json.dumps(dict(level="info", job="train_classifier", replicate=None, event=event,
    fields=fields)), file=sys.stderr, flush=True)
say("progress", message="p", work="train", done=1, total=4, unit="steps", per_s=2.0, note="loss 0.5")
print("from C", file=sys.stderr, flush=True)
say("error", message="what went wrong")
sys.exit(3)
"""


def test_a_terminal_shows_the_run_below_what_its_jobs_say(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Bars of the whole run and of the work, the words of the job above, its last ones too; a job's code is its own."""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    for name, value in {"TERM": "xterm", "COLUMNS": "150", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)

    def start(name: str, words: list[str], changes: dict[str, str], **extra: Any) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", SPEAKS], env=os.environ | changes, **extra)

    monkeypatch.setattr(shown, "start", start)
    words = ["--replicates", "2", "--data-root", str(tmp_path)]
    with shown.shown([PREPROCESS, TRAIN_CLASSIFIER], words) as display:
        assert isinstance(display, Display)
        display.begin("preprocess")
        display.course.end()
        display.begin("train_classifier")
        with display.process("train_classifier", words) as process:
            assert process.wait() == 3
        assert display.course.replicates == 2
    seen = terminal.getvalue()
    for part in ("[2/2] train_classifier", "0 of 2 replicates", "left of all", "from C", "error: what went wrong"):
        assert part in seen
    assert "1/4 steps, 2.0 steps/s, 0:02 left loss 0.5" in seen
    assert not re.search(r"\x1b\[[0-9;]*[3-4][0-7]m", seen)


def test_without_a_terminal_there_is_a_line_for_each_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its time, who says it, and which job of how many; the job writes to the same stream by itself."""
    monkeypatch.setattr(log, "moment", lambda: "2026-01-02T03:04:05+00:00 ")
    started: list[Any] = []
    monkeypatch.setattr(shown, "start", lambda *given: started.append(given))
    with shown.shown([PREPROCESS, TRAIN_GAN], []) as display:
        assert isinstance(display, Lines)
        display.begin("preprocess")
        with display.process("preprocess", ["--force"]):
            pass
    assert capsys.readouterr().err == "2026-01-02T03:04:05+00:00 run: [1/2] preprocess  (0 s so far)\n"
    assert started == [("preprocess", ["--force"])]


@pytest.mark.timed
def test_a_line_has_its_time_where_no_terminal_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Time with its zone, the job's name, the words; on a terminal, and in a log of objects, no time."""
    Reporter("train_gan").info("mode collapse")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d train_gan: mode collapse\n", capsys.readouterr().err
    )
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    Reporter("train_gan").info("mode collapse")
    assert terminal.getvalue() == "train_gan: mode collapse\n"
    monkeypatch.setattr(sys, "stderr", JsonLines(written := io.StringIO()))
    Reporter("train_gan").info("mode collapse")
    assert json.loads(written.getvalue())["fields"] == {"message": "mode collapse"}


class Gone(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text: str, /) -> int:
        """Fail as such a pipe does."""
        raise BrokenPipeError


def test_work_goes_on_where_nobody_reads_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose starter was killed saves what it has: its log breaks nothing."""
    monkeypatch.setattr(sys, "stderr", JsonLines(Gone()))
    say("message", "saved")
    Reporter("train_gan").info("saved")


def test_the_interval_of_progress_is_checked(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """A variable that is no number ends the work with exit code 2 before it begins."""
    code = "from shared.cli.progress import Reporter\nwith Reporter('job').bar('work', 1, 'steps'): pass"
    for value, fine in (("1", True), ("often", False)):
        ended = python(f"import os; os.environ['HALFREAL_PROGRESS_S'] = {value!r}\n{code}")
        assert (ended.returncode == 0) is fine
    assert "HALFREAL_PROGRESS_S=often: want seconds" in ended.stderr

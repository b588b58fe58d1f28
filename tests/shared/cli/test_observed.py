"""A job that is watched: JSON on standard error, a file of metrics, its record; errors of every kind too."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadInput, Interrupted
from shared.runtime.observe.observation import timed, training
from tests.shared.conftest import TINY
from tests.shared.runtime.observe.exposition import parse, values


def entries(text: str) -> list[dict[str, Any]]:
    """Return the objects of a log, of which every line must be one."""
    return [json.loads(line) for line in text.splitlines()]


def fail(error: Exception) -> Any:
    """Return a body of the tiny job that fails."""

    def body(run: Any, config: Any) -> None:
        raise error

    return body


def test_every_line_of_a_job_is_an_object(laboratory: Any) -> None:
    """What the job says of itself, with its experiment; standard output is as it was."""
    outcome = laboratory.call("--log-format", "json", "--steps", "2")
    (line,) = entries(outcome.stderr)
    assert (line["job"], line["experiment"], line["replicate"], line["rank"]) == ("tiny", "digits", None, 0)
    assert line["event"] == "complete"
    assert line["fields"]["path"] == str(laboratory.final)
    assert line["fields"]["message"].endswith("a fine toy")
    assert outcome.stdout == ""
    (again,) = entries(laboratory.call(HALFREAL_LOG_FORMAT="json", HALFREAL_TINY_STEPS="2").stderr)
    assert again["event"] == "already_complete"


def test_a_job_of_a_replicate_says_which(laboratory: Any) -> None:
    """Two replicates in one process: each line has its own number."""
    outcome = laboratory.call("--log-format", "json", "--replicates", "2", "--processes", "1", replicated=True)
    assert [line["replicate"] for line in entries(outcome.stderr)] == [0, 1]


ERRORS: dict[str, tuple[list[str], Exception | None, int, str]] = {
    "an unknown option": (["--stps", "3"], None, 2, "No such option"),
    "a value of the wrong type": (["--steps", "many"], None, 2, "want a whole number"),
    "a value that cannot work": (["--steps", "0"], None, 2, "want at least 1"),
    "bad input": ([], BadInput("a file is broken"), 2, "a file is broken"),
    "an interruption": ([], Interrupted("stopped by SIGTERM"), 75, "stopped by SIGTERM"),
    "Ctrl-C": ([], KeyboardInterrupt(), 75, "run the same command again"),  # type: ignore[dict-item]
    "a full disk": ([], OSError(28, "No space left on device", "x"), 1, "make room"),
    "a mistake of ours": ([], ZeroDivisionError("by zero"), 1, "--debug shows where"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_an_object_with_its_exit_code(laboratory: Any, name: str) -> None:
    """All that can go wrong, before or after the options are parsed, in one line; 75 is no error, only a warning."""
    words, error, code, message = ERRORS[name]
    if error is not None:
        laboratory.body = fail(error)
    outcome = laboratory.call("--log-format", "json", *words)
    (line,) = entries(outcome.stderr)
    assert (outcome.exit_code, line["event"], line["fields"]["code"]) == (code, "error", code)
    assert line["level"] == ("warning" if code == 75 else "error")
    assert line["job"] == "tiny"
    assert message in line["fields"]["message"]
    assert not line["fields"]["message"].startswith("error: ")


def test_debug_adds_the_traceback(laboratory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback has many lines, which are one field."""
    monkeypatch.setenv("HALFREAL_DEBUG", "1")
    laboratory.body = fail(ZeroDivisionError("by zero"))
    (line,) = entries(laboratory.call("--log-format", "json").stderr)
    assert line["fields"]["traceback"].startswith("Traceback (most recent call last)")
    assert "in body" in line["fields"]["traceback"]


def test_a_warning_of_the_command_line_is_an_object(laboratory: Any) -> None:
    """A misspelt variable is said in the same format."""
    warned, complete = entries(laboratory.call("--log-format", "json", HALFREAL_TINY_STEP="3").stderr)
    assert (warned["event"], warned["level"]) == ("warning", "warning")
    assert warned["fields"]["message"].startswith("HALFREAL_TINY_STEP: unknown; did you mean HALFREAL_TINY_STEPS")
    assert complete["event"] == "complete"


def test_progress_has_numbers(laboratory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of progress is no sentence to take apart: how much is done, of how much, how fast."""
    monkeypatch.setattr("shared.cli.progress.LOG_EVERY_S", 0)

    def body(run: Any, config: Any) -> None:
        with run.reporter.bar("draw", 8, "images") as bar:
            bar.advance(2, "so far")

    laboratory.body = body
    fields = entries(laboratory.call("--log-format", "json").stderr)[0]["fields"]
    assert {name: fields[name] for name in ("work", "done", "total", "unit", "note")} == {
        "work": "draw",
        "done": 2,
        "total": 8,
        "unit": "images",
        "note": "so far",
    }
    assert fields["per_s"] > 0


def test_a_wrong_format_is_refused(laboratory: Any) -> None:
    """As any other option of a list of words."""
    outcome = laboratory.call("--log-format", "xml")
    assert outcome.exit_code == 2
    assert "'xml' is not one of 'text', 'json'" in outcome.stderr


def test_what_is_watched_changes_no_artifact(laboratory: Any, tmp_path: Path) -> None:
    """The build key and the manifest do not know of it: the same command without it finds the work complete."""
    assert laboratory.call("--log-format", "json", "--metrics-dir", str(tmp_path / "m")).exit_code == 0
    again = laboratory.call("--log-format", "text")
    assert again.stderr == f"tiny: already complete: {laboratory.final}\n"


def test_a_job_leaves_metrics(laboratory: Any, tmp_path: Path) -> None:
    """Its progress and its images from its bars, its end; each replicate has a file."""

    def body(run: Any, config: Any) -> None:
        for _ in run.reporter.each(range(6), "draw", 8, "images"):
            pass

    laboratory.body = body
    words = ["--replicates", "2", "--processes", "1", "--metrics-dir", str(tmp_path / "m")]
    assert laboratory.call(*words, replicated=True).exit_code == 0
    files = sorted((tmp_path / "m").iterdir())
    assert [path.name for path in files] == ["halfreal_tiny-digits-r00-0.prom", "halfreal_tiny-digits-r01-0.prom"]
    for number, path in enumerate(files):
        told = values(path.read_text())
        assert (told["images_seen_total"], told["progress_ratio"], told["job_exit_code"]) == (6, 0.75, 0)
        ((_, labels), *_) = parse(path.read_text())
        assert dict(labels)["replicate"] == str(number)


def test_parts_have_files_of_their_own(laboratory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parts of one artifact run at the same time, in pods that share the folder."""
    monkeypatch.setattr("tests.shared.conftest.TINY", replace(TINY, parts=True))
    laboratory.body = fail(Interrupted("stopped"))
    for index in (0, 1):
        words = ["--parts", "2", "--index", str(index), "--metrics-dir", str(tmp_path / "m")]
        assert laboratory.call("--log-format", "json", *words).exit_code == 75
    files = sorted((tmp_path / "m").glob("*.prom"))
    assert [dict(next(iter(parse(path.read_text())))[1])["rank"] for path in files] == ["0", "1"]


def test_a_missing_input_is_in_the_metrics(laboratory: Any, tmp_path: Path) -> None:
    """An error before any work has begun counts as one."""
    outcome = laboratory.call("--experiment", "nothing", "--metrics-dir", str(tmp_path / "m"))
    assert outcome.exit_code == 2
    (path,) = (tmp_path / "m").iterdir()
    assert values(path.read_text())["errors_total"] == 1
    assert values(path.read_text())["job_exit_code"] == 2


def test_a_folder_that_is_a_file_is_refused(laboratory: Any, tmp_path: Path) -> None:
    """Before the work begins."""
    (tmp_path / "m").write_text("")
    outcome = laboratory.call("--metrics-dir", str(tmp_path / "m"))
    assert outcome.exit_code == 2
    assert str(tmp_path / "m") in outcome.stderr
    assert not laboratory.final.exists()


def test_the_share_of_waiting_is_in_the_record_of_a_run_that_trains(laboratory: Any) -> None:
    """Others have no such key: 0 would say that nothing waited."""
    assert laboratory.call().exit_code == 0
    assert "data_wait_share" not in json.loads((laboratory.final / "run.json").read_text())

    def body(run: Any, config: Any) -> None:
        with training():
            assert len(list(timed([([1, 2], [0, 0])]))) == 1

    laboratory.body = body
    assert laboratory.call("--force").exit_code == 0
    assert 0 < json.loads((laboratory.final / "run.json").read_text())["data_wait_share"] < 1

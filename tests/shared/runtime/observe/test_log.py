"""Standard error as JSON lines: whoever writes, however it is cut into writes."""

import io
import json
import logging
import math
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import datetime, timedelta
from typing import Any

import click
import pytest

from shared.runtime.observe import identity, log

KEYS = ["time", "level", "job", "experiment", "replicate", "rank", "event", "fields"]


@contextmanager
def json_log() -> Iterator[io.StringIO]:
    """Yield what standard error writes to, as JSON."""
    # not a fixture: pytest puts its own standard error back between a fixture and its test
    with redirect_stderr(written := io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("default")
        log.use(log.JSON)
        with identity.identified(identity.Identity("train_gan", "digits", 1, 0)):
            yield written
        log.use(log.TEXT)
        assert sys.stderr is written


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the objects so far."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_object_has_the_same_keys_in_the_same_order() -> None:
    """Whose it is, when and what; fields of an event are in an object of their own."""
    with json_log() as stream:
        log.say("complete", "complete in 3 s", seconds=3)
        (line,) = lines(stream)
        assert list(line) == KEYS
        assert (line["job"], line["experiment"], line["replicate"], line["rank"]) == ("train_gan", "digits", 1, 0)
        assert (line["level"], line["event"]) == ("info", "complete")
        assert line["fields"] == {"message": "complete in 3 s", "seconds": 3}


def test_times_have_a_zone() -> None:
    """ISO 8601 with an offset: machines of one experiment may be in several zones."""
    with json_log() as stream:
        log.say("message", "now")
        when = datetime.fromisoformat(lines(stream)[0]["time"])
        assert when.utcoffset() == timedelta(0)
        assert abs(datetime.now(when.tzinfo) - when) < timedelta(minutes=1)


def test_any_text_becomes_an_object_a_line() -> None:
    """`print`, click, logging and warnings: nothing that Python writes to standard error is another kind of line."""
    with json_log() as stream:
        print("two\nlines", file=sys.stderr)
        click.secho("coloured", fg="red", err=True)
        logging.StreamHandler().handle(logging.LogRecord("torch", logging.WARNING, "", 0, "logged %d", (1,), None))
        warnings.warn("it is old", DeprecationWarning, stacklevel=1)
        written = lines(stream)
        assert [line["fields"]["message"] for line in written] == ["two", "lines", "coloured", "logged 1", "it is old"]
        assert {line["event"] for line in written[:-1]} == {"text"}
        assert (written[-1]["event"], written[-1]["level"]) == ("warning", "warning")
        assert written[-1]["fields"]["category"] == "DeprecationWarning"
        assert "test_log.py:" in written[-1]["fields"]["where"]


def test_a_line_is_whole_however_it_is_written() -> None:
    """Writes that end within a line wait for its end; a flush between them does not cut it."""
    with json_log() as stream:
        sys.stderr.write("one ")
        sys.stderr.flush()
        log.say("message", "between")
        sys.stderr.write("line\n\nlast")
        assert [line["fields"]["message"] for line in lines(stream)] == ["between", "one line"]
        log.finish()
        assert lines(stream)[-1]["fields"]["message"] == "last"


def test_a_bar_that_redraws_itself_is_its_last_state() -> None:
    """Downloads of libraries draw bars with carriage returns."""
    with json_log() as stream:
        for share in (0, 50, 100):
            sys.stderr.write(f"\r{share} %")
        sys.stderr.write("\r\n")
        assert [line["fields"]["message"] for line in lines(stream)] == ["100 %"]


def test_values_that_json_lacks_are_words() -> None:
    """NaN, infinities, paths, text that is no UTF-8: the line is strict JSON in ASCII."""
    with json_log() as stream:
        log.say("message", "caf\udce9 日本", loss=math.nan, most=math.inf, path=pytest)
        raw = stream.getvalue()
        assert raw.isascii()
        assert "NaN" not in raw
        assert lines(stream)[0]["fields"]["loss"] == "nan"
        assert lines(stream)[0]["fields"]["most"] == "inf"


def test_threads_do_not_mix_their_lines() -> None:
    """Objects of several threads are whole."""
    with json_log() as stream:
        threads = [
            threading.Thread(target=lambda: [log.say("message", "x" * 500) for _ in range(50)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(lines(stream)) == 200


def test_it_is_no_terminal() -> None:
    """Bars and colours are for people, also where somebody asks for JSON on a terminal."""
    with json_log():
        assert not sys.stderr.isatty()
        assert sys.stderr.writable()


def test_text_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the option nothing changes: the text, else the message, and no fields."""
    log.say("complete", "message", text="job: message", seconds=3)
    log.say("notice", "alone")
    assert capsys.readouterr().err == "job: message\nalone\n"


@pytest.mark.parametrize(
    ("words", "variable", "json_wanted"),
    [
        ([], "", False),
        ([], "json", True),
        (["--log-format", "json"], "", True),
        (["--log-format=json"], "", True),
        (["--log-format", "text"], "json", False),
        (["--log-format", "json", "--log-format", "text"], "", False),
        (["--seed", "1", "--log-format"], "", False),
        (["--log-format", "xml"], "json", False),
    ],
)
def test_the_format_is_known_before_options_are_parsed(
    monkeypatch: pytest.MonkeyPatch, words: list[str], variable: str, json_wanted: bool
) -> None:
    """A flag beats the variable, the last flag the others; an unknown one is refused in text by who parses it."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setenv(log.VARIABLE, variable)
    log.begin(words)
    assert log.is_json() == json_wanted
    log.use(log.TEXT)


def error(message: str) -> str:
    """Return a line of a JSON log with an error."""
    return json.dumps({"event": "error", "level": "error", "fields": {"message": message, "code": 2}})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["error: a", "error: b", "more of b"], "b more of b"),
        ([error("a"), error("b\nmore of b")], "b more of b"),
        (["error: old", error("new"), json.dumps({"event": "message", "fields": {}})], "new"),
        ([error("old"), "error: new", json.dumps({"event": "text", "fields": {"message": "x"}})], "new"),
        (["killed", "by nobody"], "by nobody"),
        (["{no json"], "{no json"),
        ([], ""),
    ],
)
def test_the_last_error_is_found_in_either_format(written: list[str], expected: str) -> None:
    """A log may have both, where the setting was changed between two runs of a trial."""
    assert log.last_error(written) == expected


@pytest.mark.parametrize(
    ("environment", "part", "rank"),
    [
        ({}, (0, 1), 0),
        ({"RANK": "3", "WORLD_SIZE": "4"}, (0, 1), 3),
        ({}, (2, 3), 2),
        ({"RANK": "1", "WORLD_SIZE": "2"}, (2, 3), 5),
        ({"RANK": "first"}, (0, 1), None),
    ],
)
def test_processes_that_share_work_have_numbers_of_their_own(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], part: tuple[int, int], rank: int | None
) -> None:
    """Ranks of a launcher and parts of the work, together too; what the job refuses has none."""
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert identity.rank_of(*part) == rank

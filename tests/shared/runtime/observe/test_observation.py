"""What is observed of a process's work: the file, the share of waiting, how it ends."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from shared.errors import BadInput, HalfrealError, Interrupted
from shared.runtime.observe import observation, watching
from shared.runtime.observe.identity import Identity, current
from shared.runtime.observe.observation import count, preparing, timed, training, waiting
from shared.runtime.observe.watching import observing
from tests.shared.runtime.observe.exposition import parse, values

WHO = Identity("train_gan", "digits/study/images-5", 1, 0)
FILE = "halfreal_train_gan-digits%2Fstudy%2Fimages-5-r01-0.prom"


def code_of(error: BaseException) -> int:
    """Return the exit code of an error."""
    return error.exit_code if isinstance(error, HalfrealError) else 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the metrics, which does not exist yet."""
    monkeypatch.setenv(watching.VARIABLE, str(tmp_path / "on" / "volume"))
    return tmp_path / "on" / "volume"


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock by which training and waiting are measured."""
    made = Clock()
    monkeypatch.setattr(observation.time, "perf_counter", made)
    monkeypatch.setattr(observation.time, "monotonic", made)
    return made


def test_a_process_has_one_file_with_its_labels(folder: Path) -> None:
    """It is there from the beginning, without an exit code until the end; the name differs where labels do."""
    with observing(WHO, code_of):
        begun = parse((folder / FILE).read_text())
        assert "job_exit_code" not in {name for name, _ in begun}
        assert current() == WHO
    ended = parse((folder / FILE).read_text())
    assert {labels[:4] for _, labels in ended} == {
        (("job", "train_gan"), ("experiment", "digits/study/images-5"), ("replicate", "1"), ("rank", "0"))
    }
    assert [path.name for path in folder.iterdir()] == [FILE]
    others = [
        Identity("train_gan", "digits"),
        Identity("train_gan", "digits", 0),
        Identity("train_gan", "digits", 0, 1),
    ]
    assert len({observation.file_name(who) for who in (WHO, *others)}) == 4


def test_a_file_is_replaced_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads while it is written sees the old file or the new one: there is no moment without either."""
    monkeypatch.setattr(watching, "WRITE_EVERY_S", 0.001)
    path, broken = folder / FILE, list[str]()
    with observing(WHO, code_of):
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            count("images_seen_total", 1)
            text = path.read_text()
            if "halfreal_job_update_time_seconds{" not in text:
                broken.append(text)
    assert broken == []
    # what is not finished has a name that node_exporter does not read
    assert [name for name in folder.glob("*.prom") if name != path] == []


def test_the_file_is_written_while_the_work_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nothing is reported: a process that hangs has a file that still says so, a dead one does not."""
    assert watching.WRITE_EVERY_S == 10
    monkeypatch.setattr(watching, "WRITE_EVERY_S", 0.01)
    with observing(WHO, code_of):
        first = values((folder / FILE).read_text())["job_update_time_seconds"]
        until = time.monotonic() + 20
        while values((folder / FILE).read_text())["job_update_time_seconds"] == first:
            assert time.monotonic() < until
            time.sleep(0.01)
    assert not [thread for thread in threading.enumerate() if "_write_often" in thread.name]


@pytest.mark.parametrize(
    ("error", "code", "errors"),
    [(None, 0, 0), (BadInput("x"), 2, 1), (ValueError("x"), 1, 1), (Interrupted("x"), 75, 0)],
)
def test_the_end_is_told(folder: Path, error: Exception | None, code: int, errors: int) -> None:
    """The exit code, and whether it is an error: an interruption with its state saved is none."""
    with suppress(BadInput, ValueError, Interrupted), observing(WHO, code_of):
        if error is not None:
            raise error
    told = values((folder / FILE).read_text())
    assert (told["job_exit_code"], told["errors_total"]) == (code, errors)


def test_the_next_run_of_the_same_work_begins_its_file_again(folder: Path) -> None:
    """A file of a run that has ended stays until then; counters begin at 0, as Prometheus expects of a new process."""
    with observing(WHO, code_of):
        count("images_seen_total", 9)
    assert values((folder / FILE).read_text())["images_seen_total"] == 9
    with observing(WHO, code_of):
        told = values((folder / FILE).read_text())
    assert told["images_seen_total"] == 0
    assert "job_exit_code" not in told


def test_a_folder_that_cannot_be_written_to_is_refused(folder: Path) -> None:
    """Before the work: hours later nobody would know that nothing was watched."""
    folder.parent.mkdir()
    folder.write_text("a file")
    with pytest.raises(BadInput, match=r"cannot be written to .*; fix its permissions or choose another path"):  # noqa: SIM117
        with observing(WHO, code_of):
            pytest.fail("the work began")


def test_work_outlives_a_folder_that_is_lost(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk of metrics ends no job; it is said once."""
    monkeypatch.setattr(watching, "WRITE_EVERY_S", 0.01)
    with observing(WHO, code_of):
        (folder / FILE).unlink()
        folder.rmdir()
        time.sleep(0.2)
    said = capsys.readouterr().err
    assert said.count("the work goes on unwatched") == 2  # once while it goes on, once at the end


def test_without_a_folder_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Numbers are kept all the same, for the record of the run."""
    monkeypatch.delenv(watching.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    with observing(WHO, code_of) as watched:
        count("images_seen_total", 2)
        assert watched.values.of("images_seen_total") == 2
    assert list(tmp_path.iterdir()) == []
    count("images_seen_total", 2)  # nothing is observed: no error


def batches(clock: Clock, seconds: float, many: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield batches of four images, each after a wait."""
    for _ in range(many):
        clock.now += seconds
        yield torch.zeros(4, 1, 2, 2), torch.zeros(4)


def test_the_share_of_waiting_is_of_the_time_of_training(clock: Clock) -> None:
    """Five waits of 1 s and five steps of 3 s are 25 %; what comes before and after the loop does not count."""
    with observing(WHO, code_of) as watched:
        assert observation.data_wait() == {}
        clock.now += 100
        with training():
            for _ in timed(batches(clock, 1, 5)):
                clock.now += 3
                with training():  # a loop within a loop is part of it
                    pass
        clock.now += 100
        with waiting():  # not in a training loop
            clock.now += 100
        assert observation.data_wait() == {"data_wait_share": 0.25}
        assert watched.training_s == 20
        assert watched.values.of("images_seen_total") == 20
    assert observation.data_wait() == {}


def test_images_that_are_prepared_are_waited_for(clock: Clock) -> None:
    """2 s of decoding before the loop and 1 s of sending in it, a loop of 6 s: 3 of 8 s; alone it is no training."""
    with observing(WHO, code_of):
        with preparing():
            clock.now += 2
        assert observation.data_wait() == {}
        with training():
            with preparing(), waiting():  # one wait, not two
                clock.now += 1
            clock.now += 5
        assert observation.data_wait() == {"data_wait_share": 0.375}


def test_waiting_that_goes_on_is_in_the_file(clock: Clock, folder: Path) -> None:
    """The file of a running job has the time until now, not that of loops that have ended."""
    with observing(WHO, code_of) as watched, training():
        for _ in timed(batches(clock, 2, 2)):
            clock.now += 2
            watched.write()
            told = values((folder / FILE).read_text())
            assert told["data_wait_ratio"] == 0.5
            assert told["training_seconds_total"] == 2 * told["data_wait_seconds_total"] == clock.now - 1000


def test_a_rate_is_of_the_last_interval(clock: Clock, folder: Path) -> None:
    """Images a second since the file was last written; the last writing comes too soon after it to change that."""
    with observing(WHO, code_of) as watched:
        for images, expected in ((100, 10.0), (300, 30.0)):
            clock.now += 10
            count("images_seen_total", images)
            watched.write()
            assert values((folder / FILE).read_text())["images_per_second"] == expected
        clock.now += 0.5
    assert values((folder / FILE).read_text())["images_per_second"] == 30


def test_images_are_counted_once(clock: Clock) -> None:
    """A training loop counts its batches; the bar over it, in images of every rank, does not count them again."""
    with observing(WHO, code_of) as watched:
        observation.count_done(5, "images")
        observation.count_done(3, "fits")
        with training():
            for _ in timed(batches(clock, 0, 3)):
                observation.count_done(100, "images")
        assert watched.values.of("images_seen_total") == 5 + 12


def test_an_error_outside_of_any_work_has_a_file_too(folder: Path) -> None:
    """A missing input is an error of the job; what work of its own, or other processes, told is not told again."""
    job = Identity("train_gan", "digits", None, 0)

    def files_after(error: Exception, within: Identity | None) -> list[str]:
        with suppress(type(error)), watching.watching_failures(job, code_of, (KeyError,)):
            if within is None:
                raise error
            with observing(within, code_of):
                raise error
        made = {path.name: values(path.read_text())["errors_total"] for path in folder.glob("*.prom")}
        assert set(made.values()) <= {1}
        for name in made:
            (folder / name).unlink()
        return list(made)

    assert files_after(BadInput("gone"), None) == ["halfreal_train_gan-digits-0.prom"]
    assert files_after(BadInput("gone"), WHO) == [FILE]
    assert files_after(KeyError("told by others"), None) == []


def test_memory_is_that_of_the_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is what --memory says, where that is less than the machine has."""
    monkeypatch.setenv("HALFREAL_MEMORY", "123MB")
    with observing(WHO, code_of):
        pass
    told = values((folder / FILE).read_text())
    assert told["memory_limit_bytes"] == 123e6
    assert 10e6 < told["memory_peak_bytes"] < 100e9

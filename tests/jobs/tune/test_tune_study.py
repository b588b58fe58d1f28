"""The trials of a search as its workers share them: leases, lost workers, budgets, seeds, successive halving."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from jobs.tune.options import TuneConfig
from jobs.tune.outcome import command_of_tuned
from jobs.tune.study import Lease, Study, trial_name
from jobs.tune.trial import Attempt
from jobs.tune.trial_runner import Refused
from jobs.tune.worker import Worker
from shared.cli.common_options import check_name
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.errors import BadConfig, Busy, Lost
from shared.store.locking.owner import new_owner

SPACE = '{"train_gan": {"latent": [8, 16, 32], "learning_rate": {"low": 1e-4, "high": 1e-2, "log": true}}}'


def config(**changes: Any) -> TuneConfig:
    """Return a config of trials of 40 epochs with these changes."""
    options: dict[str, Any] = {
        "trials": 6,
        "minutes": None,
        "objective": "frechet",
        "space": SPACE,
        "reduction": 2,
        "epochs": None,
        "seeds": 3,
        "seed": 0,
        "train_gan": {"epochs": 40, "latent": 16, "learning_rate": 1e-3},
        "types": {"epochs": "int", "latent": "int", "learning_rate": "float"},
    }
    return TuneConfig(**(options | changes))


def finish(study: Study, claim: Lease, value: float) -> None:
    """Take a trial to its end."""
    study.optuna.tell(claim.trial, value)
    claim.lock.release()


def claimed(study: Study) -> Lease:
    """Return the next lease, which must exist."""
    claim = study.claim()
    assert claim is not None
    return claim


@pytest.fixture(params=["journal", "database"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """Return where the trials are stored: None for the journal file, or the URL of a database."""
    return None if request.param == "journal" else f"sqlite:///{tmp_path / 'study.db'}"


def test_the_first_trial_is_the_recipe_itself(tmp_path: Path, storage: str | None) -> None:
    """Trial 0 has the recipe's own options, so that the best trial is never worse on val."""
    study = Study(tmp_path / "s", config(), storage)
    assert claimed(study).trial.params == {"train_gan.latent": 16, "train_gan.learning_rate": 1e-3}


def test_workers_share_the_budget(tmp_path: Path, storage: str | None) -> None:
    """Any number of workers together start exactly the requested number of trials, each once."""
    first, second = (Study(tmp_path / "s", config(trials=5), storage) for _ in range(2))
    claims = [claimed(first), claimed(second), claimed(first), claimed(second), claimed(second)]
    assert [claim.trial.number for claim in claims] == [0, 1, 2, 3, 4]
    assert first.claim() is None
    assert second.claim() is None
    assert first.running
    for place, claim in enumerate(claims):
        finish(first, claim, 5.0 - place)
    assert not second.running
    assert second.claim() is None
    assert second.best is not None
    assert second.best.number == 4


def test_a_trial_of_a_lost_worker_is_taken_over(tmp_path: Path, storage: str | None) -> None:
    """A running trial whose lock is free is resumed with its number, options and scores before a new one starts."""
    lost, other = (Study(tmp_path / "s", config(trials=2), storage) for _ in range(2))
    left = claimed(lost)
    left.trial.report(12.0, 12)
    left.lock.release()  # as the system does when a process dies
    taken = claimed(other)
    assert (taken.trial.number, taken.resumed) == (0, True)
    assert taken.trial.params == left.trial.params
    assert other.trials[0].intermediate_values == {12: 12.0}
    new = claimed(other)
    assert (new.trial.number, new.resumed) == (1, False)
    assert lost.claim() is None
    finish(other, taken, 1.0)
    finish(other, new, 2.0)
    assert [trial.state for trial in lost.trials] == [TrialState.COMPLETE] * 2


def test_a_trial_in_progress_is_left_alone(tmp_path: Path) -> None:
    """No worker takes a trial whose lock another one holds."""
    first, second = (Study(tmp_path / "s", config(trials=1), None) for _ in range(2))
    mine = claimed(first)
    assert second.claim() is None
    assert second.lock(trial_name(0)) is None
    mine.lock.release()
    assert claimed(second).resumed


class Refusing:
    """A runner whose options are refused."""

    def prepare(self) -> None:
        """Prepare nothing."""

    def train(self, watch: object) -> bool:
        """Refuse the options."""
        raise Refused("diverged")


def test_a_worker_that_lost_its_trial_tells_nothing(tmp_path: Path) -> None:
    """One that was stopped until another took its trial over ends with 75; the trial is the other's."""
    study = Study(tmp_path / "s", config(), None)
    mine = claimed(study)
    other = replace(new_owner(), host="elsewhere")
    mine.lock.path.write_bytes(other.to_line() + b"%010d\n" % 0)
    runner: Any = Refusing()
    with pytest.raises(Lost):
        Attempt(config(), study, mine, runner, [], {}).run()
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING]
    mine.lock.path.write_bytes(mine.lock.payload)
    assert Attempt(config(), study, mine, runner, [], {}).run() == "given up: diverged"
    assert [trial.state for trial in study.trials] == [TrialState.PRUNED]
    mine.lock.release()


def test_options_lost_on_the_way_are_drawn(tmp_path: Path) -> None:
    """A worker lost before it had drawn every option leaves a trial whose missing options are then drawn."""
    study = Study(tmp_path / "s", config(), None)
    study.optuna.ask()
    assert claimed(study).trial.params.keys() == config().domains.keys()


def test_the_same_seed_draws_the_same_trials(tmp_path: Path) -> None:
    """Equal seeds give equal sequences of options, other seeds others."""

    def drawn(name: str, seed: int) -> list[dict[str, Any]]:
        study = Study(tmp_path / name, config(trials=8, seed=seed), None)
        found = []
        while (claim := study.claim()) is not None:
            found.append(claim.trial.params)
            finish(study, claim, abs(claim.trial.params["train_gan.learning_rate"] - 2e-3))
        return found

    assert drawn("a", 3) == drawn("b", 3)
    assert drawn("a2", 4)[1:] != drawn("b2", 3)[1:]


def test_workers_draw_different_options(tmp_path: Path) -> None:
    """Two workers with one seed that start at the same time draw different options."""
    first, second = (Study(tmp_path / "s", config(), None) for _ in range(2))
    claims = [claimed(study) for study in (first, second, first, second)]
    assert len({claim.trial.params["train_gan.learning_rate"] for claim in claims}) == 4


def test_no_options_are_tried_twice(tmp_path: Path, storage: str | None) -> None:
    """A space of four combinations has four trials, all different, however many are asked for."""
    space = '{"train_gan": {"latent": [8, 16], "learning_rate": [1e-3, 2e-3]}}'
    study = Study(tmp_path / "s", config(trials=9, space=space), storage)
    found = []
    while (claim := study.claim()) is not None:
        found.append(tuple(claim.trial.params.values()))
        finish(study, claim, 1.0)
    assert sorted(found) == [(8, 1e-3), (8, 2e-3), (16, 1e-3), (16, 2e-3)]
    assert len(study.trials) == 4


def test_a_line_torn_by_a_lost_writer_is_cut_off(tmp_path: Path) -> None:
    """A journal that ends within a record is continued after the last whole record."""
    lost = Study(tmp_path / "s", config(), None)
    finish(lost, claimed(lost), 1.0)
    with (tmp_path / "s" / "journal.log").open("ab") as journal:
        journal.write(b'{"op_code":5,"worker_id":"half a rec')
    after = Study(tmp_path / "s", config(), None)
    finish(after, claimed(after), 2.0)
    finish(lost, claimed(lost), 3.0)
    assert [trial.value for trial in Study(tmp_path / "s", config(), None).trials] == [1.0, 2.0, 3.0]


def test_a_whole_journal_is_not_read_before_each_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last byte tells whether the last line is torn: a long journal costs no more than a short one."""
    study = Study(tmp_path / "s", config(), None)
    read = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: pytest.fail("it was read") if path.name == "journal.log" else read(path)
    )
    finish(study, claimed(study), 1.0)
    assert [trial.value for trial in study.trials] == [1.0]


def test_a_range_of_whole_numbers_is_used_up_too(tmp_path: Path) -> None:
    """The range 14 to 17 gives four different trials, however often the sampler repeats itself."""
    study = Study(tmp_path / "s", config(trials=9, space='{"train_gan": {"latent": {"low": 14, "high": 17}}}'), None)
    found = []
    while (claim := study.claim()) is not None:
        found.append(claim.trial.params["train_gan.latent"])
        finish(study, claim, 1.0)
    assert sorted(found) == [14, 15, 16, 17]


@pytest.mark.parametrize("url", ["nonsense", "nosuch://a/b", "sqlite:////nonexistent/x.db", "sqlite:///{}"])
def test_a_database_that_cannot_be_used_leaves_nothing(url: str, tmp_path: Path) -> None:
    """A wrong URL, a missing folder and a file that is no database are refused before a folder is made."""
    (tmp_path / "file").write_text("no database, but longer than a hundred bytes" * 9, encoding="utf-8")
    with pytest.raises(BadConfig, match="--storage"):
        Study(tmp_path / "s", config(), url.format(tmp_path / "file"))
    assert not (tmp_path / "s").exists()


def test_no_trial_begins_when_the_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time budget, counted from the first trial, no new trial starts; running ones go on."""
    import jobs.tune.study as module

    study = Study(tmp_path / "s", config(minutes=10.0), None)
    first = claimed(study)
    start = study.trials[0].datetime_start
    assert start is not None

    class Clock:
        minutes = 9.9

        @classmethod
        def now(cls) -> Any:
            from datetime import timedelta

            return start + timedelta(minutes=cls.minutes)

    monkeypatch.setattr(module, "datetime", Clock)
    second = claimed(study)
    Clock.minutes = 10.1
    assert study.claim() is None
    second.lock.release()
    assert claimed(study).resumed
    finish(study, first, 1.0)


@pytest.mark.parametrize(
    ("epochs", "reduction", "rungs"),
    [(40, 2, [10, 20]), (81, 3, [9, 27]), (40, 1, []), (3, 2, [1, 2]), (1, 2, []), (2, 2, [1])],
)
def test_rungs_are_shares_of_a_trial(epochs: int, reduction: int, rungs: list[int]) -> None:
    """Trials are compared after epochs / reduction^2 and epochs / reduction, never at their end."""
    assert config(reduction=reduction, train_gan={"epochs": epochs}).rungs == rungs


def test_successive_halving_lets_the_better_half_go_on(tmp_path: Path) -> None:
    """At a rung a trial goes on if it is among the best half so far (Li et al. 2020); the first one always does."""
    study = Study(tmp_path / "s", config(trials=6), None)
    stopped = []
    for score in (10.0, 20.0, 5.0, 7.0, 4.0, 30.0):
        claim = claimed(study)
        claim.trial.report(score, 12)
        stopped.append(claim.trial.should_prune())
        finish(study, claim, score)
    # the best so far of 1, 2 and 3; the best two of 4 and 5; the best three of 6
    assert stopped == [False, True, False, False, False, True]


def test_a_database_that_cannot_be_opened_is_a_bad_option(tmp_path: Path) -> None:
    """A URL that SQLAlchemy does not know ends with exit code 2."""
    with pytest.raises(BadConfig, match="--storage"):
        Study(tmp_path / "s", config(), "no such thing")


def test_the_budget_is_no_part_of_a_study() -> None:
    """More trials or time continue the study; any option that a trial depends on starts another one."""
    mine = config().study({})
    assert config(trials=60, minutes=5.0, seeds=9).study({}) == mine
    # nor do the threads of the jobs: they change the last digits alone
    assert config(train_gan=config().train_gan | {"threads": 2}, evaluate={"threads": 2}).study({}) == mine
    others = [config(seed=1), config(reduction=3), config(objective="synthetic_only"), config(train_gan={"epochs": 9})]
    assert len({mine, *(other.study({}) for other in others)}) == 5


def test_force_drops_every_trial_but_not_under_a_worker(tmp_path: Path, storage: str | None) -> None:
    """`--force` starts over; while another worker runs a trial it is refused, and nothing is lost."""
    run = Run({}, tmp_path / "mine", tmp_path / "sources", "cpu", Reporter("tune"))
    worker = Worker(run, config(), [], storage)
    mine = claimed(worker.study)
    with pytest.raises(Busy, match="trial 0"):
        worker.forget()
    assert len(worker.study.trials) == 1
    mine.lock.release()
    worker.forget()
    assert worker.study.trials == []
    again = claimed(worker.study)
    assert (again.trial.number, again.resumed) == (0, False)


@pytest.mark.fault(22)
@pytest.mark.parametrize(
    ("root", "experiment", "words"),
    [
        ("data", "digits", "--recipe data/digits/tune/tuned.toml --experiment digits-tuned"),
        (
            "/my data",
            "mine/study/images-5",
            "--recipe '/my data/mine/study/images-5/tune/tuned.toml' --experiment mine-study-images-5-tuned "
            "--data-root '/my data'",
        ),
    ],
)
def test_the_tuned_recipe_is_run_as_an_experiment_of_its_own(root: str, experiment: str, words: str) -> None:
    """The command that is printed names it after the experiment: two searches never share a folder."""
    printed = command_of_tuned(Path(root) / experiment, Path(root))
    assert printed == f"halfreal run {words}"
    flags = dict(zip(*[iter(shlex.split(printed)[2:])] * 2, strict=True))
    check_name(flags["--experiment"], "--experiment")

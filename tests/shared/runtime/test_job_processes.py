"""Jobs as processes: their options by variables, their exit codes, and what they say of their options when asked."""

import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadConfig, HalfrealError
from shared.runtime import job_processes
from shared.runtime.job_processes import OPTIONS_FLAG, ask, end, start, variables, wait

SLEEPS = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]


def test_options_are_the_variables_of_their_job() -> None:
    """An option by job and name becomes the variable that the job reads."""
    options = {"train_gan.learning_rate": 0.5, "device": "cpu"}
    assert variables(options) == {"HALFREAL_TRAIN_GAN_LEARNING_RATE": "0.5", "HALFREAL_DEVICE": "cpu"}


def test_a_process_is_waited_for_no_longer_than_asked() -> None:
    """A process that runs has no exit code; one that a signal ended has the code that a shell reports."""
    with subprocess.Popen(SLEEPS, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert wait(process, 0.01) is None
        assert end(process) == -signal.SIGTERM
        assert wait(process) == 128 + signal.SIGTERM
        assert end(process) == -signal.SIGTERM


def test_a_job_answers_every_question_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes beat the environment, and each question has an answer of its own: options as resolved, or the reason."""
    started: list[str] = []
    start = job_processes.start

    def counted(job: str, *words: Any, **extra: Any) -> "subprocess.Popen[Any]":
        started.append(job)
        return start(job, *words, **extra)

    monkeypatch.setattr(job_processes, "start", counted)
    monkeypatch.setenv("HALFREAL_TRAIN_GAN_LATENT", "7")
    questions = [{}, {"family": "dcgan", "latent": 9}, {"width": 0}, {"family": "dcgan", "penalty_weight": 1.0}]
    answers = ask({"train_gan": questions, "synthesize": [{}]}, ["--recipe", "digits"])
    assert started == ["train_gan", "synthesize"]
    gan = answers["train_gan"]
    assert gan.options()["latent"] == 7
    assert {"family": "dcgan", "latent": 9, "critic_steps": 1}.items() <= gan.options(1).items()
    assert "penalty_weight" not in gan.options(1)
    for question, reason in ((2, "0 is not in the range"), (3, "has no such thing")):
        with pytest.raises(BadConfig, match=reason):
            gan.options(question)
    assert (gan.types["latent"], gan.types["learning_rate"], gan.types["flips"]) == ("int", "float", "bool")
    assert (gan.owners["penalty_weight"], gan.defaults["family"]) == ("family", "wgan_gp")
    assert "latent" not in gan.owners
    assert answers["synthesize"].options()["share"] == 1.0


def test_words_that_a_job_refuses_are_its_answer() -> None:
    """A recipe that is not there is refused with the job's own reason."""
    with pytest.raises(BadConfig, match="'nowhere': not found"):
        ask({"report": [{}]}, ["--recipe", "nowhere"])["report"].options()


def test_a_process_that_cannot_answer_is_a_failure() -> None:
    """What is no job ends with its exit code and the last thing that it said."""
    with pytest.raises(HalfrealError, match=r"nothing --options-json failed \(exit code 1\).*jobs.nothing"):
        ask({"nothing": [{}]}, [])


@pytest.mark.fault(10)
def test_a_job_stops_when_its_starter_is_killed() -> None:
    """SIGKILL leaves nobody to stop the job: it notices by itself, and ends as by SIGTERM."""
    # the job waits for a question on its standard input, which this test holds open
    starts = "import time; from shared.runtime.job_processes import start; "
    starts += f"print(start('preprocess', ['{OPTIONS_FLAG}']).pid, flush=True); time.sleep(60)"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", starts], stdin=pipe, stdout=pipe, stderr=pipe) as starter:
        assert starter.stdout is not None
        starter.stdout.readline()
        starter.kill()
        # the job has the same standard output, which ends when both are gone
        assert select.select([starter.stdout], [], [], 60)[0], "the job goes on"
        assert starter.stdout.read() == b""


def test_a_job_that_is_interrupted_while_it_starts_says_so_in_a_line(tmp_path: Path) -> None:
    """Ctrl-C goes to every process of a terminal, also to one whose interpreter is still at its imports."""
    words = ["--recipe", "digits", "--data-root", str(tmp_path)]
    with start("preprocess", words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert (process.returncode, said) == (75, "error: stopped; run the same command again to go on\n")
    assert not any(tmp_path.iterdir())
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

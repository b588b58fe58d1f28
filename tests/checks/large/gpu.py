"""Mistakes in what only a GPU does, and in the command that tests and measures it, as a CPU can tell them."""

from tests.checks.mutation import Mutation

GRAPHS = "tests/jobs/train_gan/test_graphs.py::"
COMMAND = "tests/gpu/test_command.py::"

ON_GPU: tuple[Mutation, ...] = (
    Mutation(
        "a_replayed_step_has_the_first_batch",
        "jobs/train_gan/gpu/graphs.py",
        "column.copy_(new)",
        "pass",
        GRAPHS + "test_replayed_steps_are_the_steps",
        "a replayed step works on its own batch",
    ),
    Mutation(
        "losses_of_a_replay_are_overwritten",
        "jobs/train_gan/gpu/graphs.py",
        "{name: value.clone() for name, value in self._losses.items()}",
        "self._losses",
        GRAPHS + "test_replayed_steps_are_the_steps",
        "losses of a step stay what they were when the next one is replayed",
    ),
    Mutation(
        "the_learning_rate_is_recorded",
        "jobs/train_gan/gpu/graphs.py",
        'group["lr"].fill_(rate)',
        'group["lr"] = rate',
        GRAPHS + "test_an_optimizer_is_settled_for_the_run_that_it_is_in",
        "a recorded step follows the decay of the learning rate",
    ),
    Mutation(
        "a_checkpoint_of_graphs_stays_one",
        "jobs/train_gan/gpu/graphs.py",
        'group["capturable"] = recorded',
        'group["capturable"] = recorded or group["capturable"]',
        GRAPHS + "test_an_optimizer_is_settled_for_the_run_that_it_is_in",
        "what was trained with graphs resumes without them",
    ),
    Mutation(
        "graphs_on_a_cpu",
        "jobs/train_gan/experiment.py",
        'group.device.type != "cuda" or group.world > 1',
        "group.world > 1",
        GRAPHS + "test_graphs_want_a_gpu",
        "--cuda-graphs without a GPU is a bad option",
    ),
    Mutation(
        "no_gpu_is_no_error",
        "tests/gpu/__main__.py",
        'print(f"make gpu: {fault}", file=sys.stderr)\n        return 2',
        'print(f"make gpu: {fault}", file=sys.stderr)\n        return 0',
        COMMAND + "test_without_a_gpu_nothing_is_run",
        "`make gpu` without a GPU ends with 2",
    ),
    Mutation(
        "a_failed_test_on_a_gpu_is_no_failure",
        "tests/gpu/__main__.py",
        "return 0 if whole and passed else 1",
        "return 0 if whole else 1",
        COMMAND + "test_a_failed_test_is_exit_code_1",
        "`make gpu` fails where a test fails",
    ),
    Mutation(
        "a_part_takes_the_time_of_others",
        "tests/gpu/__main__.py",
        "if left_s < part.least_s:",
        "if left_s < 0:",
        COMMAND + "test_a_part_that_does_not_fit_is_left_out_and_said",
        "`make gpu` ends within its budget and says what it left out",
    ),
    Mutation(
        "a_wait_is_not_seen",
        "tests/gpu/waits.py",
        "name.startswith(COPIES)",
        "name in COPIES",
        COMMAND + "test_a_wait_in_a_step_is_found",
        "a copy from the GPU in a step is found",
    ),
)

"""Mistakes in what jobs tell machines: logs, metrics, the share of waiting.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

LOG = "tests/shared/runtime/observe/test_log.py::"
METRICS = "tests/shared/runtime/observe/test_metrics.py::"
WATCHED = "tests/shared/runtime/observe/test_observation.py::"
CALLS = "tests/shared/cli/test_observed.py::"
GAN = "tests/jobs/train_gan/test_watched_gan.py::"
JOBS = "tests/jobs/test_watched_jobs.py::"

OBSERVED: tuple[Mutation, ...] = (
    Mutation(
        "times_without_zone",
        "shared/runtime/observe/log.py",
        "datetime.now(UTC)",
        "datetime.now()",
        LOG + "test_times_have_a_zone",
        "lines of machines in several zones can be put in order",
    ),
    Mutation(
        "half_a_line_is_an_object",
        "shared/runtime/observe/log.py",
        "*lines, self._rest = (self._rest + text)",
        'self._rest, lines = "", (self._rest + text)',
        LOG + "test_a_line_is_whole_however_it_is_written",
        "a line is one object, however it is cut into writes",
    ),
    Mutation(
        "nan_in_a_log",
        "shared/runtime/observe/log.py",
        "isinstance(value, float) and not math.isfinite(value)",
        "isinstance(value, bool)",
        LOG + "test_values_that_json_lacks_are_words",
        "a log is strict JSON",
    ),
    Mutation(
        "errors_without_code",
        "shared/cli/exit_codes.py",
        "text=text, code=code, **where)",
        "text=text, **where)",
        CALLS + "test_an_error_is_an_object_with_its_exit_code",
        "an error says which exit code it leads to",
    ),
    Mutation(
        "text_before_options_are_parsed",
        "shared/cli/exit_codes.py",
        "log.begin(sys.argv[1:] if words is None else list(words))",
        "log.begin(())",
        CALLS + "test_an_error_is_an_object_with_its_exit_code",
        "a wrong option is said in the format that is asked for",
    ),
    Mutation(
        "replicates_speak_text",
        "shared/runtime/pool.py",
        "    log.begin(())\n    return",
        "    return",
        JOBS + "test_replicates_in_processes_of_their_own",
        "processes of replicates write JSON as the one that started them does",
    ),
    Mutation(
        "workers_have_no_name",
        "shared/runtime/processes.py",
        "    identify(identity)",
        "    pass",
        JOBS + "test_workers_speak_as_the_process_that_they_work_for",
        "lines of workers say whose they are",
    ),
    Mutation(
        "json_errors_of_trials_are_unread",
        "shared/runtime/observe/log.py",
        'if entry["event"] == ERROR else None',
        'if entry["event"] == "text" else None',
        "tests/jobs/tune/test_trial_runner.py::test_a_refusal_in_a_json_log_is_read_all_the_same",
        "tune says why a trial was refused, in either format of its log",
    ),
    Mutation(
        "a_metric_apart_from_the_dashboard",
        "k8s/grafana-dashboard.json",
        '"expr": "halfreal_data_wait_ratio{',
        '"expr": "halfreal_data_wait_share{',
        METRICS + "test_the_dashboard_shows_what_jobs_write_and_nothing_else",
        "panels show what jobs write",
    ),
    Mutation(
        "labels_are_not_escaped",
        "shared/runtime/observe/metrics.py",
        '{name}="{_escaped(value)}"',
        '{name}="{value}"',
        METRICS + "test_any_name_of_an_experiment_is_read_back",
        "no name of an experiment breaks the file",
    ),
    Mutation(
        "metrics_are_written_in_place",
        "shared/runtime/observe/observation.py",
        "write_whole(self.path, self.values.text({name: labels[name] for name in LABELS}).encode())",
        "self.path.write_text(self.values.text({name: labels[name] for name in LABELS}))",
        WATCHED + "test_a_file_is_replaced_whole",
        "a collector never reads half of a file",
    ),
    Mutation(
        "metrics_at_the_end_alone",
        "shared/runtime/observe/watching.py",
        "        if watched.path is not None:\n            writer.start()",
        "        if watched.path is None:\n            writer.start()",
        WATCHED + "test_the_file_is_written_while_the_work_goes_on",
        "a job is seen while it runs",
    ),
    Mutation(
        "an_interruption_is_an_error",
        "shared/runtime/observe/observation.py",
        "code not in (0, Interrupted.exit_code)",
        "code != 0",
        WATCHED + "test_the_end_is_told",
        "interrupted work with its state saved is no error",
    ),
    Mutation(
        "parts_share_a_file",
        "shared/cli/calls/call.py",
        "rank_of(piece.shard.index, piece.shard.count)",
        "rank_of(0, 1)",
        CALLS + "test_parts_have_files_of_their_own",
        "parts of one artifact do not overwrite each other's numbers",
    ),
    Mutation(
        "images_of_other_ranks_count",
        "shared/runtime/observe/observation.py",
        "is not None and not watched.is_training:",
        "is not None:",
        WATCHED + "test_images_are_counted_once",
        "images of ranks add up to those of the run",
    ),
    Mutation(
        "waits_of_a_gan_are_not_counted",
        "jobs/train_gan/loop.py",
        "stream = timed(batches(task.real",
        "stream = iter(batches(task.real",
        GAN + "test_the_wait_of_a_gan_is_in_its_record",
        "a GAN that waits for its images says so",
    ),
    Mutation(
        "waits_of_a_fit_are_not_counted",
        "shared/models/fitting.py",
        "batches = timed(train",
        "batches = iter(train",
        JOBS + "test_the_wait_of_a_fit_is_counted",
        "a classifier that waits for its images says so",
    ),
    Mutation(
        "decoding_is_no_wait",
        "shared/data/decoded/residence.py",
        "@preparing()\ndef _held",
        "def _held",
        "tests/shared/data/decoded/test_files.py::test_images_are_misses_once_then_hits",
        "training waits for images while they are decoded",
    ),
    Mutation(
        "hits_are_not_counted",
        "shared/data/decoded/residence.py",
        'count("cache_hits_total", work.shape[0])',
        'count("cache_hits_total", 0)',
        "tests/shared/data/decoded/test_files.py::test_images_are_misses_once_then_hits",
        "metrics tell whether images were decoded again",
    ),
    Mutation(
        "waits_have_no_record",
        "shared/cli/calls/perform.py",
        "processes | data_wait()",
        "processes",
        CALLS + "test_the_share_of_waiting_is_in_the_record_of_a_run_that_trains",
        "the record of a run has its share of waiting",
    ),
    Mutation(
        "waits_beyond_training_count",
        "shared/runtime/observe/observation.py",
        "            if self.is_training:\n                self._waited_s",
        "            if True:\n                self._waited_s",
        WATCHED + "test_the_share_of_waiting_is_of_the_time_of_training",
        "a share of the time of training is of waits in it",
    ),
)

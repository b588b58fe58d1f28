"""Mistakes in what is written of tensors, and in how far long comparisons say they are."""

from tests.checks.mutation import Mutation

FILE, COPIES = "shared/store/tensor_file.py", "shared/metrics/copies.py"
CONTENT = "tests/shared/store/test_tensor_file.py::"

CONTENTS: tuple[Mutation, ...] = (
    Mutation(
        "tensors_in_another_order",
        FILE,
        "key=lambda name: (order.index(plain[name].dtype), name)",
        "key=lambda name: (name, order.index(plain[name].dtype))",
        CONTENT + "test_the_bytes_are_those_of_safetensors",
        "files of tensors have the bytes that the library of the format writes",
    ),
    Mutation(
        "more_than_was_written",
        FILE,
        " and not stream.read(1)",
        "",
        CONTENT + "test_a_content_knows_its_file",
        "a checkpoint reads back as it was written, and no more",
    ),
    Mutation(
        "facts_outside_of_the_hash",
        FILE,
        "total = hashlib.sha256(self._header(self._digest))",
        "total = hashlib.sha256()",
        CONTENT + "test_a_content_knows_its_file",
        "the hash of a snapshot covers all of its file",
    ),
    Mutation(
        "silent_search_for_copies",
        "jobs/evaluate/on_test.py",
        "learned, reporter.bar)}",
        "learned)}",
        "tests/jobs/evaluate/test_evaluate.py::test_two_runs_give_the_same_digits",
        "comparisons that take minutes say how far they are",
    ),
    Mutation(
        "rows_for_pairs",
        COPIES,
        "bar.advance(len(rows) * len(columns))",
        "bar.advance(len(rows))",
        "tests/shared/metrics/test_copies.py::test_comparisons_of_pixels_tell_how_far_they_are",
        "a comparison that is done has said so of all of its pairs",
    ),
    Mutation(
        "work_left_in_an_artifact",
        "shared/store/staging.py",
        "        drop(final)  # a disk that failed for a moment has it still\n",
        "",
        "tests/shared/store/test_staging.py::test_what_a_disk_would_not_remove_goes_with_the_next_call",
        "what a commit could not remove goes with the next call",
    ),
    Mutation(
        "tar_read_in_part",
        "shared/sources/packed.py",
        "            has_end(archive)  # or it says that it is broken; a tar without its end mark is whole\n",
        "",
        "tests/shared/sources/test_packed.py::test_what_is_no_archive_or_broken_is_refused_by_name",
        "no image of a tar is left out without a word",
    ),
    Mutation(
        "interrupted_at_its_imports",
        "shared/runtime/interrupts.py",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [])",
        "tests/shared/runtime/test_job_processes.py::test_a_job_that_is_interrupted_while_it_starts_says_so_in_a_line",
        "an interruption is one line and code 75, whenever it comes",
    ),
)

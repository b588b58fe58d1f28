"""Mistakes with files that were made to do harm: waited for, decoded, kept in memory, or acting by their names."""

from tests.checks.mutation import Mutation

OUTSIDE, WORK = "shared/format/outside.py", "shared/sources/work.py"
TARS, PROCESSES = "shared/sources/shards/tars.py", "shared/runtime/processes.py"
FILES = "tests/fuzz/test_hostile.py::"
SHOWN = "tests/fuzz/test_names_shown.py::"
IMAGES = "tests/jobs/preprocess/test_images.py::"
DYING = "tests/shared/runtime/test_processes.py::"

HOSTILE: tuple[Mutation, ...] = (
    Mutation(
        "bombs_are_decoded",
        WORK,
        'warnings.simplefilter("error", Image.DecompressionBombWarning)',
        'warnings.simplefilter("ignore", Image.DecompressionBombWarning)',
        IMAGES + "test_a_picture_of_too_many_pixels_is_rejected_by_its_header",
        "an image of too many pixels is rejected by its header",
    ),
    Mutation(
        "devices_are_files",
        OUTSIDE,
        "if not stat.S_ISREG(os.fstat(descriptor).st_mode):",
        "if stat.S_ISDIR(os.fstat(descriptor).st_mode):",
        FILES + "test_a_pipe_in_place_of_a_recipe_or_manifest",
        "regular files alone are read",
    ),
    Mutation(
        "files_have_no_limit",
        OUTSIDE,
        "    if len(payload) > most_bytes:",
        "    if False:",
        FILES + "test_a_file_larger_than_its_limit_is_not_read",
        "a file beyond its limit is refused",
    ),
    Mutation(
        "names_of_gigabytes",
        OUTSIDE,
        "        if size > TAR_HEADER_BYTES:",
        "        if False:",
        FILES + "test_members_of_gigabytes_are_not_read",
        "the long name of a member of a tar is not read without a limit",
    ),
    Mutation(
        "labels_of_gigabytes",
        TARS,
        "    if member.size > most_bytes or member.issparse():",
        "    if member.issparse():",
        FILES + "test_a_bad_sample_does_not_end_the_job",
        "a label is read only if it is small",
    ),
    Mutation(
        "nesting_ends_the_job",
        OUTSIDE,
        "    except RecursionError as error:",
        "    except MemoryError as error:",
        FILES + "test_nesting_that_no_parser_ends",
        "JSON that is nested too deep is bad input",
    ),
    Mutation(
        "folders_without_end",
        "shared/sources/trees/tree.py",
        "if len(parts) > FOLDERS_DEEP:",
        "if False:",
        FILES + "test_folders_within_folders",
        "folders within folders are bounded",
    ),
    Mutation(
        "the_dead_have_no_name",
        PROCESSES,
        'f"{self.name(item)}: the process',
        'f"{item!r}: the process',
        DYING + "test_a_process_that_dies_names_its_item",
        "an image of which a process dies is named",
    ),
    Mutation(
        "waiting_hears_nothing",
        "shared/cli/progress.py",
        "        if self._waits:\n",
        "        if False:\n",
        DYING + "test_a_signal_ends_a_read_that_does_not_end",
        "SIGTERM ends a read that does not end",
    ),
    Mutation(
        "dollars_are_mathematics",
        "shared/plots/figures.py",
        '"text.parse_math": False,',
        '"text.parse_math": True,',
        SHOWN + "test_a_dollar_in_a_name_is_a_letter",
        "names are drawn as they are",
    ),
    Mutation(
        "logs_act",
        "shared/runtime/observe/log.py",
        "print(visible(text or message),",
        "print(text or message,",
        SHOWN + "test_names_do_not_act_in_logs_and_errors",
        "what acts on a terminal is spelled out in lines",
    ),
    Mutation(
        "tables_act",
        "shared/cli/progress.py",
        "Segment(visible(part.text), part.style)",
        "Segment(part.text, part.style)",
        SHOWN + "test_names_do_not_act_in_tables",
        "what acts on a terminal is spelled out in tables",
    ),
    Mutation(
        "a_dataset_without_train",
        "shared/data/specs.py",
        '(artifact.split("train").count for',
        '(artifact.dataset.splits["train"].count for',
        "tests/jobs/test_unreadable_records.py::test_a_dataset_without_a_train_split",
        "a foreign dataset is refused with what it lacks",
    ),
)

"""Mistakes by which a process that dies loses something, or leaves something behind."""

from tests.checks.mutation import Mutation

DURABLE, STEPS, STAGING = "shared/disk/durable.py", "shared/disk/steps.py", "shared/store/staging.py"
WRITTEN = "tests/shared/disk/test_durable.py::"
COUNTED = "tests/shared/disk/test_steps.py::"
ENDED = "tests/shared/disk/test_crash_points.py::"
AGAIN = "test_a_job_that_was_ended_at_a_step_leaves_the_same_when_it_is_run_again"

CRASHES: tuple[Mutation, ...] = (
    Mutation(
        "names_before_content",
        DURABLE,
        "            sync(stream.fileno(), part)\n",
        "",
        WRITTEN + "test_content_reaches_the_disk_before_the_name_and_the_name_before_the_return",
        "a power cut leaves no empty file under a final name",
    ),
    Mutation(
        "files_written_in_place",
        DURABLE,
        'part = path.with_name(f".{path.name}.part")',
        "part = path",
        WRITTEN + "test_a_write_cut_off_leaves_the_old_file",
        "a file is absent, its old self, or whole",
    ),
    Mutation(
        "errors_without_a_path",
        DURABLE,
        "            error.filename = str(path)",
        "            pass",
        WRITTEN + "test_an_error_of_an_open_file_names_it",
        "an error of the system names its path",
    ),
    Mutation(
        "links_are_followed",
        DURABLE,
        "if path.is_dir() and not path.is_symlink():",
        "if path.is_dir():",
        WRITTEN + "test_a_folder_goes_with_all_that_is_in_it_but_not_what_links_lead_to",
        "a folder is removed whole, and nothing outside it",
    ),
    Mutation(
        "each_process_counts_its_own",
        STEPS,
        "_append(Path(file), kind, path) if file else next(own)",
        "next(own)",
        COUNTED + "test_processes_that_share_a_file_are_one_count",
        "a job with its processes is one sequence of steps",
    ),
    Mutation(
        "errors_from_a_step_on",
        STEPS,
        "if at == fail_at:",
        "if 0 < fail_at <= at:",
        COUNTED + "test_an_error_is_raised_instead_once_and_names_the_path",
        "an error is injected at one step",
    ),
    Mutation(
        "writes_that_are_no_steps",
        DURABLE,
        '        step("write", self._path)\n',
        "",
        COUNTED + "test_every_change_is_a_step",
        "every durable change can be the last one of a process",
    ),
    Mutation(
        "drafts_under_other_names",
        DURABLE,
        'part = path.with_name(f".{path.name}.part")',
        'part = path.with_name(f".{path.name}.{os.getpid()}.part")',
        ENDED + AGAIN,
        "what a killed process has half written is written over by the next one",
    ),
    Mutation(
        "committed_work_left_in_staging",
        "shared/store/remote/push.py",
        "if (folder / MANIFEST).read_bytes() == (final / MANIFEST).read_bytes():",
        "if False:",
        "tests/shared/store/test_superseded.py::test_a_commit_that_the_store_has_leaves_nothing",
        "a process that is killed when the store has its commit leaves no copy",
    ),
    Mutation(
        "drafts_of_a_mirror_stay",
        "shared/store/remote/mirror.py",
        "            remove_file(draft)\n    except OSError",
        "            pass\n    except OSError",
        "tests/shared/store/test_mirror.py::test_drafts_of_the_marker_go",
        "a process that is killed as it makes a mirror leaves nothing for ever",
    ),
)

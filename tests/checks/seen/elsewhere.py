"""Planted mistakes: generators that leave for other programs, and numbers that go to trackers."""

from tests.checks.mutation import Mutation

WRITES = "jobs/export/generators.py"
TRACKS = "shared/runtime/observe/trackers.py"
LEAVES = "tests/jobs/export/test_generators.py::"
TRACKED = "tests/shared/cli/test_tracked.py::"

ELSEWHERE = (
    Mutation(
        "loader_is_not_tried",
        WRITES,
        "    check_drawn(draw_by_loader(folder, latents, labels), wanted.numpy())\n",
        "",
        LEAVES + "test_a_generator_that_draws_otherwise_is_not_written",
        "an exported generator is tried by its own loader before it has its name",
    ),
    Mutation(
        "two_grey_levels",
        WRITES,
        "MOST_LEVELS = 1\n",
        "MOST_LEVELS = 2\n",
        LEAVES + "test_one_grey_level_is_the_most",
        "an exported generator draws our images to one grey level",
    ),
    Mutation(
        "member_of_another",
        "shared/models/gans/members.py",
        "return drawn.gather(0, chosen[None",
        "return drawn.flip(0).gather(0, chosen[None",
        LEAVES + "test_every_family_leaves[torchscript-per_class]",
        "the label picks the class's own generator in an export, too",
    ),
    Mutation(
        "folders_of_this_machine",
        "jobs/export/networks.py",
        'if not entry.filename.endswith(".debug_pkl"):',
        "if entry.filename:",
        LEAVES + "test_files_say_nothing_of_this_machine",
        "no exported file has a path of this machine",
    ),
    Mutation(
        "lost_tracker_ends_work",
        TRACKS,
        "        except Exception as error:  #",
        "        except TimeoutError as error:  #",
        TRACKED + "test_a_lost_tracker_ends_no_work",
        "a tracker that is lost ends no work",
    ),
    Mutation(
        "password_in_a_log",
        TRACKS,
        'why = re.sub(r"//[^/@\\s]*@", "//", lines[0])',
        "why = lines[0]",
        TRACKED + "test_a_lost_tracker_ends_no_work",
        "no line of a log has the password of a tracker's address",
    ),
    Mutation(
        "a_run_for_each_start",
        "shared/cli/calls/call.py",
        "key.fingerprint, key.plain_options, common.data_root / FOLDER",
        "str(id(key)), key.plain_options, common.data_root / FOLDER",
        TRACKED + "test_stopped_work_goes_on_in_its_run",
        "work that goes on after a stop goes on in its run",
    ),
)

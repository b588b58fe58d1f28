"""Planted mistakes: generators that leave for other programs, and numbers that go to trackers."""

from tests.checks.mutation import Mutation

WRITES = "jobs/export/generators.py"
TRACKS = "shared/runtime/observe/trackers.py"
LEAVES = "tests/jobs/export/test_generators.py::"
TRACKED = "tests/shared/cli/test_tracked.py::"
WIDE = "tests/jobs/playground/test_latent_scale.py::"

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
        "earlier_steps_are_dropped",
        TRACKS,
        "self._run.log(values if step is None else values | {STEP: step})",
        "self._run.log(values, step=step)",
        TRACKED + "test_wandb_has_every_number_of_work_that_was_stopped",
        "Weights & Biases keeps what is logged at an earlier step, such as scores on test",
    ),
    Mutation(
        "plain_latents_on_the_page",
        "jobs/playground/page.py",
        'latent_scale=number("Latent scale", scale)',
        "latent_scale=1.0",
        WIDE + "test_the_page_begins_with_that_scale",
        "the playground draws from latents of the scale that was asked for",
    ),
    Mutation(
        "plain_latents_in_samples",
        "jobs/commands/drawing.py",
        "1.0 if synthetic is None or synthetic.latent_scale is None else synthetic.latent_scale",
        "1.0",
        WIDE + "test_the_scale_is_that_of_the_synthetic_images",
        "samples are drawn as the synthetic images were",
    ),
    Mutation(
        "scores_of_other_latents",
        "jobs/report/page.py",
        'SCORED_AS_DRAWN if how_drawn else ""',
        '""',
        "tests/jobs/report/test_scores_page.py::test_images_that_are_drawn_otherwise_are_not_those_that_are_scored",
        "scores, copies and membership say of which images they are",
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

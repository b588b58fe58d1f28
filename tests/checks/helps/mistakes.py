"""Mistakes in the search for a setting that helps: what would make its confirmation worth nothing."""

from tests.checks.mutation import Mutation

TESTS = "tests/jobs/test_helps.py::"
IMAGES = "tests/checks/helps/images.py"
PHASES = "tests/checks/helps/phases.py"
CHOICE = "tests/checks/helps/choice.py"
COMMAND = "tests/checks/helps/__main__.py"

HELPING: tuple[Mutation, ...] = (
    Mutation(
        "confirmed_on_searched_images",
        IMAGES,
        "(CONFIRM, members[middle:])",
        "(CONFIRM, members[: len(members) - middle])",
        TESTS + "test_the_phases_share_no_image",
        "no image of the confirmation was in the search",
    ),
    Mutation(
        "shared_images_pass",
        IMAGES,
        "    if both:\n",
        "    if not both:\n",
        TESTS + "test_a_shared_image_is_noticed",
        "an image in both phases ends them",
    ),
    Mutation(
        "confirmed_with_the_half_of_the_search",
        COMMAND,
        "made = make(gan, half_of(gan, CONFIRM, data)",
        "made = make(gan, half_of(gan, SEARCH, data)",
        TESTS + "test_the_confirmation_sees_nothing_of_the_search",
        "the confirmation is tested on images that the search did not see",
    ),
    Mutation(
        "confirmed_with_searched_seeds",
        PHASES,
        "name=CONFIRM, seed=2000",
        "name=CONFIRM, seed=1000",
        TESTS + "test_the_phases_share_no_seed",
        "the confirmation's replicates are new ones",
    ),
    Mutation(
        "shared_seeds_pass",
        PHASES,
        "sorted({*search} & {*confirm})",
        "sorted({*search[:1]} & {*confirm[:1]})",
        TESTS + "test_the_phases_share_no_seed",
        "a seed in both phases ends them",
    ),
    Mutation(
        "the_luckiest_mean_is_confirmed",
        CHOICE,
        "key=lambda setting: setting.comparison.low)",
        "key=lambda setting: setting.comparison.difference)",
        TESTS + "test_the_highest_lower_bound_is_confirmed",
        "the choice is by the lower bound",
    ),
    Mutation(
        "confirmed_settings_have_95_each",
        CHOICE,
        "(1 - LEVEL) / max(len(self.settings), 1)",
        "(1 - LEVEL) / 1",
        TESTS + "test_confirmed_settings_share_the_five_percent",
        "confirmed settings share 5 %",
    ),
    Mutation(
        "the_search_goes_on_after_the_confirmation",
        CHOICE,
        "    elif before != choice:\n",
        "    elif False:\n",
        TESTS + "test_the_confirmation_sees_nothing_of_the_search",
        "a choice is made once",
    ),
    Mutation(
        "a_part_of_the_search_is_confirmed",
        CHOICE,
        "    check_finished(results)\n",
        "",
        TESTS + "test_the_confirmation_sees_nothing_of_the_search",
        "the choice is among all settings of the table",
    ),
    Mutation(
        "copies_help_the_confirmed",
        "tests/checks/helps/table.py",
        "judged(low, high, copied=bool(found.copies))",
        "judged(low, high)",
        TESTS + "test_a_gain_from_copies_did_not_help",
        "a confirmed gain from copies is not called a help",
    ),
    Mutation(
        "results_of_other_options_are_believed",
        "tests/checks/helps/experiment.py",
        "    for name in paths.keys() - {*todo}:",
        "    for name in []:",
        TESTS + "test_the_confirmation_sees_nothing_of_the_search",
        "a result that was made from other options is refused",
    ),
    Mutation(
        "confirmed_by_results_of_other_options",
        COMMAND,
        "    check_search(out, data)\n",
        "",
        TESTS + "test_the_confirmation_sees_nothing_of_the_search",
        "the choice is from results that were made from the rows as they are",
    ),
)

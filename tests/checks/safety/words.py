"""Planted mistakes: what is said of input that cannot be used."""

from tests.checks.mutation import Mutation

RECIPES = "tests/shared/cli/test_recipes.py::"
ADVISORIES = "tests/supply/test_advisories.py::"

WORDS = (
    Mutation(
        "long_key",
        "shared/cli/recipes.py",
        "> RECIPE_DOTS:",
        "> RECIPE_DOTS**3:",
        RECIPES + "test_what_a_parser_takes_long_for_is_refused_before_it",
        "a recipe of 40 kB is not parsed for 14 s",
    ),
    Mutation(
        "words_of_python",
        "shared/cli/recipes.py",
        "if type(error) is ValueError:",
        "if type(error) is TypeError:",
        RECIPES + "test_a_number_of_thousands_of_digits_is_refused",
        "a number of thousands of digits is said in our words",
    ),
    Mutation(
        "wrong_step",
        "shared/disk/steps.py",
        'if not re.fullmatch("[0-9]{1,9}", number):',
        'if number == "one":',
        "tests/shared/disk/test_steps.py::test_a_wrong_value_is_refused_before_the_first_change",
        "a number of a step that is none is refused with its variable",
    ),
    Mutation(
        "wrong_error",
        "shared/disk/steps.py",
        "if fail_with != KILL and fail_with not in errno.errorcode.values():",
        "if fail_with != KILL and not hasattr(errno, fail_with):",
        "tests/shared/disk/test_steps.py::test_a_wrong_value_is_refused_before_the_first_change",
        "only errors of the system can be asked for",
    ),
    Mutation(
        "no_advisories",
        "supply/advisories.py",
        "    if not any(_is_of_pypi(",
        "    if found and not any(_is_of_pypi(",
        ADVISORIES + "test_what_is_no_advisory_is_refused",
        "a file without advisories does not read as one in which nothing was found",
    ),
    Mutation(
        "form_of_advisories",
        "supply/advisories.py",
        "or not all(map(_is_advisory, found)):",
        "or not all(isinstance(each, dict) for each in found):",
        ADVISORIES + "test_what_is_no_advisory_is_refused",
        "an advisory of another form is refused with its file",
    ),
    Mutation(
        "wrong_silence",
        "shared/store/locks.py",
        "for {others[0].longest_s:g} s",
        "for {120:g} s",
        "tests/shared/store/test_locks_lost.py::test_of_a_lock_that_names_nobody_the_shorter_time_is_said",
        "the time after which a lock is taken over is that which is said",
    ),
    Mutation(
        "both_cut_off",
        "jobs/train_gan/plan.py",
        "raise FormatError(all_damaged(folder / CHECKPOINT)) from faults[0]",
        "raise faults[0]",
        "tests/jobs/train_gan/test_checkpoints.py::test_two_that_were_cut_off_are_said_as_two_with_a_flipped_bit",
        "that both checkpoints are damaged is said, however they are",
    ),
    Mutation(
        "unnamed_variable",
        "shared/cli/exit_codes.py",
        "        error.param_hint = variable\n",
        "        pass\n",
        "tests/shared/cli/test_exit_codes.py::test_a_wrong_environment_variable_ends_with_2",
        "a wrong value of a variable names the variable",
    ),
)

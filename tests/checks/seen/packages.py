"""Planted mistakes: what a wheel has, what an extra brings, what Python users are told."""

from tests.checks.mutation import Mutation

PACKAGE = "tests/supply/test_package.py::"
PAGE = "tests/jobs/from_python/test_python_page.py::"

PACKAGES = (
    Mutation(
        "no_page_in_the_wheel",
        "pyproject.toml",
        ', "study/*.html"',
        "",
        PACKAGE + "test_every_file_of_the_packages_is_in_the_wheel",
        "a wheel has every file that its commands read",
    ),
    Mutation(
        "extra_for_all",
        "pyproject.toml",
        '  "jinja2>=3.1",\n',
        '  "jinja2>=3.1",\n  "optuna>=4.5",\n',
        PACKAGE + "test_every_extra_is_known_to_the_command_line",
        "what one command needs is no dependency of all",
    ),
    Mutation(
        "missing_in_silence",
        "shared/cli/exit_codes.py",
        "(extra := EXTRAS.get(str(error.name)))",
        '(extra := EXTRAS.get(""))',
        PACKAGE + "test_a_command_without_its_extra_says_what_to_install",
        "a command whose extra is missing says what to install",
    ),
    Mutation(
        "two_versions",
        "pyproject.toml",
        'dynamic = ["version"]',
        'version = "0.1.0"',
        PACKAGE + "test_the_version_stands_in_one_place",
        "the version is in one place",
    ),
    Mutation(
        "error_lost",
        "halfreal/judging.py",
        "ERRORS = {2: BadInput, 75: Interrupted}",
        "ERRORS = {75: Interrupted}",
        PAGE + "test_what_cannot_be_judged_is_refused",
        "what the command refuses is a BadInput in Python",
    ),
    Mutation(
        "another_seed",
        "halfreal/experiment.py",
        "            seed=seed,\n",
        "            seed=seed + 1,\n",
        PAGE + "test_an_experiment_is_what_the_commands_say",
        "images drawn from Python are those of `halfreal sample`",
    ),
    Mutation(
        "no_limits",
        "jobs/commands/drawing.py",
        "<= most or value % 1:",
        "<= most:",
        PAGE + "test_what_is_wrong_is_said_in_the_same_words",
        "a wrong number is refused before images are drawn",
    ),
)

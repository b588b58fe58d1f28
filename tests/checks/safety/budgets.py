"""Planted mistakes: what `halfreal run --minutes` chooses, keeps and says; what processes import."""

from tests.checks.mutation import Mutation

CHOICE = "jobs/commands/running/budget.py"
FLOW = "jobs/commands/running/minutes.py"
CHOOSES = "tests/jobs/commands/test_budget.py::"
KEEPS = "tests/jobs/commands/test_minutes.py::"

BUDGETS = (
    Mutation(
        "two_replicates_for_a_budget",
        CHOICE,
        "LEAST_REPLICATES = 3\n",
        "LEAST_REPLICATES = 2\n",
        CHOOSES + "test_replicates_go_first_then_epochs_then_width",
        "a budget is never met with fewer than three replicates",
    ),
    Mutation(
        "cores_are_not_shared",
        CHOICE,
        "return whole * max(at_once / self.abreast, 1.0) + (max(rest / self.abreast, 1.0) if rest else 0.0)",
        "return whole + bool(rest)",
        CHOOSES + "test_replicates_share_cores",
        "three replicates on two cores take longer than one",
    ),
    Mutation(
        "given_epochs_are_cut",
        CHOICE,
        'return self.plan.epochs if "epochs" in self.given else max(math.ceil(share * self.plan.epochs), 1)',
        "return max(math.ceil(share * self.plan.epochs), 1)",
        CHOOSES + "test_what_is_given_stays",
        "an explicit option wins over what is chosen",
    ),
    Mutation(
        "time_that_is_over_is_planned_again",
        CHOICE,
        "return 60 * minutes * (1 - RESERVE) - elapsed_s",
        "return 60 * minutes * (1 - RESERVE)",
        CHOOSES + "test_the_least_budget_that_is_named_is_enough",
        "what preparing images took is part of the budget",
    ),
    Mutation(
        "a_second_call_chooses_again",
        FLOW,
        "        if chosen is None:\n            prepare()\n",
        "        if True:\n            prepare()\n",
        KEEPS + "test_a_choice_is_made_once_and_kept",
        "the same command goes on with what was chosen",
    ),
    Mutation(
        "a_kept_choice_beats_options",
        FLOW,
        "return plan | given |",
        "return given | plan |",
        KEEPS + "test_explicit_options_win",
        "an option that is given to a later call wins",
    ),
    Mutation(
        "dry_runs_leave_decoded_images",
        FLOW,
        "environment({cache_place.VARIABLE: scratch})",
        "environment({})",
        KEEPS + "test_a_dry_run_leaves_nothing",
        "a dry run that times the machine leaves no file",
    ),
    Mutation(
        "a_budget_is_not_said",
        "shared/plots/answers.py",
        "        return budget_note(record)\n",
        '        return ""\n',
        "tests/jobs/report/test_verdict_page.py::test_the_page_says_that_the_plan_was_made_for_a_budget",
        "who reads a verdict learns that its plan was made for a budget",
    ),
    Mutation(
        "each_replicate_imports_by_itself",
        "shared/models/fit_options.py",
        ', "torchmetrics.classification")',
        ",)",
        "tests/shared/runtime/test_shared_imports.py::test_a_fit_imports_nothing_slow",
        "replicates pay once for what fitting imports",
    ),
)

"""Mistakes in pictures: class names where none is known, unreadable axes, flattened losses, a still animation."""

from tests.checks.mutation import Mutation

CHARTS, CLASS_CHARTS = "shared/plots/charts.py", "shared/plots/training/class_charts.py"
PANELS, GALLERY = "shared/plots/training/panels.py", "shared/plots/gallery.py"
TEST_CHARTS, TEST_TICKS = "tests/shared/plots/training/test_class_charts.py", "tests/shared/plots/test_ticks.py"
TEST_PANELS, TEST_FIGURES = "tests/shared/plots/training/test_panels.py", "tests/jobs/report/test_figures.py"
TEST_GAN = "tests/jobs/train_gan/test_train_gan.py"

PICTURES: tuple[Mutation, ...] = (
    Mutation(
        "classes_on_unconditional_panels",
        "jobs/train_gan/pictures.py",
        "shown.names(task.classes) if known else []",
        "shown.names(task.classes)",
        f"{TEST_GAN}::test_a_panel_names_classes_that_were_asked_for",
        "images of an unconditional generator have no class names",
    ),
    Mutation(
        "classes_on_unconditional_grids",
        GALLERY,
        '(choice.names(classes), ", by class") if gan.record.conditional else',
        '(choice.names(classes), ", by class") if True else',
        f"{TEST_FIGURES}::test_sheets_name_classes_that_were_asked_for",
        "images of an unconditional generator have no class names",
    ),
    Mutation(
        "classes_on_unconditional_progress",
        PANELS,
        "names=[classes[row] for row in rows] if record.conditional else [],",
        "names=[classes[row % len(classes)] for row in rows],",
        f"{TEST_PANELS}::test_rows_of_an_unconditional_generator_have_no_names",
        "images of an unconditional generator have no class names",
    ),
    Mutation(
        "penalty_among_the_losses",
        CHARTS,
        "[name for name in series if name != PENALTY], [name for name in series if name == PENALTY]",
        "list(series), []",
        f"{TEST_CHARTS}::test_the_penalty_has_axes_of_its_own",
        "the gradient penalty has axes of its own",
    ),
    Mutation(
        "iterations_by_an_average",
        CHARTS,
        "*((row.epoch, row.step) for row in rows)]",
        "(last.epoch, last.step)]",
        f"{TEST_CHARTS}::test_iterations_follow_uneven_epochs",
        "iterations above the losses are true numbers",
    ),
    Mutation(
        "half_epochs",
        "shared/plots/ticks.py",
        "integer=True, min_n_ticks=1",
        "integer=False, min_n_ticks=1",
        f"{TEST_TICKS}::test_epochs_are_whole",
        "epochs are whole",
    ),
    Mutation(
        "labels_of_three_digits",
        "shared/plots/ticks.py",
        "        labels = [label.rstrip",
        '        labels = [f"{value:.3g}" for value in values]\n        labels = [label.rstrip',
        f"{TEST_TICKS}::test_numbers_are_plain",
        "labels are plain numbers",
    ),
    Mutation(
        "losses_of_the_last_epoch_alone",
        "jobs/train_gan/journal.py",
        "self.state.running_mean.move_to(self.state.since_snapshot)",
        "self.state.since_snapshot.sums = self.state.running_mean.sums\n        self.state.running_mean.sums = {}",
        f"{TEST_GAN}::test_losses_have_a_row_for_each_epoch_where_snapshots_are_rarer",
        "a snapshot's losses are means since the last snapshot",
    ),
    Mutation(
        "losses_between_snapshots_lost",
        "jobs/train_gan/state.py",
        '"since_snapshot": self.since_snapshot.sums}',
        '"since_snapshot": {}}',
        f"{TEST_GAN}::test_a_stopped_run_has_the_same_losses",
        "a resumed run writes the same losses",
    ),
    Mutation(
        "one_line_for_all_classes",
        CLASS_CHARTS,
        "        class_curves(axes, {name: (epochs, own) for name, own in values.items()}, named)\n",
        "",
        f"{TEST_CHARTS}::test_every_class_has_a_line_of_each_quality",
        "each class has a line",
    ),
    Mutation(
        "other_latents_at_every_epoch",
        PANELS,
        "draw_images(load_snapshot(files, each.file, cpu), latents, labels) for each in snapshots]",
        "draw_images(load_snapshot(files, each.file, cpu), latents + each.epoch, labels) for each in snapshots]",
        f"{TEST_PANELS}::test_the_same_latents_are_drawn_at_every_epoch",
        "progress shows the same latents",
    ),
    Mutation(
        "an_animation_of_one_frame",
        PANELS,
        "save_all=True, append_images=frames[1:], duration=times",
        "duration=times[0]",
        f"{TEST_PANELS}::test_the_animation_moves",
        "the animation moves",
    ),
    Mutation(
        "an_animation_of_any_size",
        PANELS,
        "while len(encoded) > MOST_BYTES and",
        "while False and",
        f"{TEST_PANELS}::test_the_animation_is_small",
        "the animation is small",
    ),
)

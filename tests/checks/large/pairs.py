"""Mistakes in scores of all pairs: in what float32 rules out, what float64 decides, what belongs to which point."""

from tests.checks.mutation import Mutation

PAIRS = "shared/metrics/features/pairs.py"
CLOSEST = "shared/metrics/features/closest.py"
PROJECTED = "shared/metrics/features/projected.py"
IMAGES = "tests/shared/metrics/features/test_projected.py::"
TESTS = "tests/shared/metrics/features/test_pairs.py::"

ALL_PAIRS: tuple[Mutation, ...] = (
    Mutation(
        "radii_of_the_first_block",
        "shared/metrics/features/prdc.py",
        "tile.within(real_radius[None, columns])",
        "tile.within(real_radius[None, : len(tile.columns)])",
        TESTS + "test_prdc_is_exactly_that_of_float64",
        "each column of a tile has the radius of its own point",
    ),
    Mutation(
        "places_within_a_block",
        CLOSEST,
        "columns + tile.columns.first\n",
        "columns\n",
        TESTS + "test_the_nearest_are_exactly_those_of_float64",
        "the place of a nearest image is its place in the set, not in a block",
    ),
    Mutation(
        "an_image_is_its_own_neighbour_in_later_blocks",
        CLOSEST,
        "own[tile.rows.places] - tile.columns.first",
        "own[tile.rows.places] + tile.columns.first",
        TESTS + "test_the_nearest_are_exactly_those_of_float64",
        "an image is no neighbour of its own, in any block",
    ),
    Mutation(
        "float32_decides",
        PAIRS,
        "return 1.01 * (width + 16) * ROUNDING",
        "return 0.0",
        TESTS + "test_prdc_is_exactly_that_of_float64",
        "pairs that float32 cannot tell apart are computed in float64",
    ),
    Mutation(
        "lengths_weigh_nothing",
        PAIRS,
        "4 * (error + TINY) - 2.0 * self.nearness[rows, columns]",
        "-2.0 * self.nearness[rows, columns]",
        TESTS + "test_every_squared_distance_is_within_its_bounds",
        "the bound of a distance from above has the rounding in it",
    ),
    Mutation(
        "limits_are_rounded_up",
        PAIRS,
        "np.float32(-np.inf)",
        "np.float32(np.inf)",
        TESTS + "test_a_limit_in_float32_loses_no_pair",
        "a pair that is as near as the limit is looked at",
    ),
    Mutation(
        "half_of_a_matrix_is_seen_from_one_side",
        CLOSEST,
        "for axis in (0, 1):",
        "for axis in (0,):",
        TESTS + "test_the_nearest_few_are_those_of_the_whole_matrix",
        "a pair of points of one set counts for both of them",
    ),
    Mutation(
        "the_border_is_inside",
        PAIRS,
        "self.squares(rows[unsure], columns[unsure]) < reach[unsure]",
        "self.squares(rows[unsure], columns[unsure]) <= reach[unsure]",
        TESTS + "test_prdc_is_exactly_that_of_float64",
        "the farthest of the nearest points is not in the ball that reaches to it",
    ),
    Mutation(
        "sets_are_not_scaled",
        PAIRS,
        "if largest else 1.0",
        "if largest < 0 else 1.0",
        TESTS + "test_prdc_is_exactly_that_of_float64",
        "squares neither overflow nor underflow in float32",
    ),
    Mutation(
        "opposite_directions_are_far",
        "shared/metrics/copies.py",
        "columns.terms[:, :width].T).abs_()",
        "columns.terms[:, :width].T)",
        TESTS + "test_cosines_are_those_of_float64",
        "the cosine distance is of directions without their sign",
    ),
    Mutation(
        "projections_are_longer_than_points",
        PROJECTED,
        "directions = torch.linalg.qr(longest).Q",
        "directions = 2 * torch.linalg.qr(longest).Q",
        IMAGES + "test_the_nearest_images_are_exactly_those_of_all_windows",
        "the directions of a projection are of length 1",
    ),
    Mutation(
        "projections_alone",
        PROJECTED,
        "            if useless[number]:",
        "            if useless[number] and not whole:",
        IMAGES + "test_the_nearest_images_are_exactly_those_of_all_windows",
        "where projections rule out too few pairs the windows are compared",
    ),
    Mutation(
        "the_last_of_equals",
        CLOSEST,
        "np.lexsort((either, both), axis=1)",
        "np.lexsort((-either, both), axis=1)",
        IMAGES + "test_the_nearest_images_are_exactly_those_of_all_windows",
        "the nearest of equally near images is the first one",
    ),
    Mutation(
        "a_collapsed_set_is_compared_pair_by_pair",
        CLOSEST,
        "among=tile.columns.first_of_equals()",
        "among=None",
        IMAGES + "test_few_points_are_computed_where_all_others_are_equal",
        "a generator that makes one image again and again takes no longer than another",
    ),
    Mutation(
        "held_out_images_are_their_own_neighbours",
        "shared/metrics/copies.py",
        "torch.arange(held_out)",
        "nowhere.expand(held_out)",
        "tests/shared/metrics/test_copies.py::test_new_draws_of_the_distribution_are_no_copies",
        "a held-out image is compared with the others",
    ),
)

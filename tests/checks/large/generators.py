"""Mistakes in several generators of the same images.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

MEMBERS, TESTS = "shared/models/gans/members.py", "tests/jobs/train_gan/several/test_generators.py::"

GENERATORS_TOGETHER: tuple[Mutation, ...] = (
    Mutation(
        "one_member_draws_everything",
        MEMBERS,
        "return torch.argmax(latents[:, self.member_latent :], dim=1)",
        "return torch.zeros_like(labels)",
        TESTS + "test_every_member_draws_an_equal_part",
        "each generator draws an equal part of the images",
    ),
    Mutation(
        "members_share_their_seed",
        "jobs/train_gan/several/pairs.py",
        "derive_seed(seed, Stream.GAN_MEMBER, number)",
        "derive_seed(seed, Stream.GAN_MEMBER)",
        TESTS + "test_two_generators_are_one",
        "generators begin with weights of their own",
    ),
    Mutation(
        "the_member_is_not_named",
        "shared/models/labelled_generator.py",
        "{} if drawn.member is None else",
        "{} if True else",
        "tests/shared/models/test_labelled_generator.py::test_a_sample_names_its_member",
        "a sample says which generator drew it",
    ),
)

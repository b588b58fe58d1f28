import ast
from itertools import permutations
from pathlib import Path

import pytest
import torch

from shared.runtime.seeding import Stream, derive_seed, make_generator, seed_everything


def test_one_part_is_the_first_output_of_splitmix64() -> None:
    """splitmix64 seeded with 0 gives 0xE220A8397B1DCDAF first; derive_seed keeps its upper 63 bits."""
    assert derive_seed(0) == 0xE220A8397B1DCDAF >> 1


def test_a_part_moves_the_state_of_splitmix64() -> None:
    """splitmix64's second output for seed 0 is its first for seed 0x9E37...: 0x6E789E6AA1B965F4."""
    assert derive_seed(0x9E3779B97F4A7C15) == 0x6E789E6AA1B965F4 >> 1


def test_every_part_and_its_place_counts() -> None:
    """Swapped parts, a dropped zero and an additional part all give other seeds."""
    seeds = [derive_seed(*parts) for parts in permutations((0, 1, 2))] + [
        derive_seed(1, 2),
        derive_seed(2, 1),
        derive_seed(0, 1, 2, 0),
        derive_seed(0, 0),
    ]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("bit", [0, 1, 31, 61, 62])
def test_every_bit_of_neighbouring_seeds_is_a_fair_coin(bit: int) -> None:
    """Over 4000 neighbouring seeds each bit is set in half of them: within 5 standard errors, 4000/2 +- 158."""
    ones = sum(derive_seed(seed, epoch) >> bit & 1 for seed in range(40) for epoch in range(100))
    assert abs(ones - 2000) < 158


def test_a_seed_fits_what_torch_takes() -> None:
    """Seeds lie in 0..2**63-1 for any part, so torch takes them without wrapping."""
    for part in (0, 2**31 - 1, 2**63, 2**64 - 1, -1):
        assert 0 <= derive_seed(part) < 2**63
        make_generator(part)


def test_equal_parts_give_equal_draws_and_other_parts_others() -> None:
    """A derived generator depends on its parts and not on earlier draws."""
    first = torch.randn(8, generator=make_generator(3, 1))
    torch.randn(100)
    assert torch.equal(torch.randn(8, generator=make_generator(3, 1)), first)
    assert not torch.equal(torch.randn(8, generator=make_generator(1, 3)), first)


def test_seeding_everything_fixes_the_global_generator() -> None:
    """After the same parts torch draws the same numbers."""
    draws = []
    for _ in range(2):
        seed_everything(4, 2)
        draws.append(torch.randn(8))
    assert torch.equal(*draws)


def test_the_numbers_of_streams_never_change() -> None:
    """A changed number would change every shard and every weight made from it."""
    assert {name: int(stream) for name, stream in Stream.__members__.items()} == {
        "GAN_WEIGHTS": 0,
        "SHARD_ORDER": 33,
        "CLASSIFIER_LAYERS": 1,
        "GAN_STEP_LAYERS": 1,
        "VAL_LATENTS": 1,
        "CLASSIFIER_ORDER": 2,
        "TEST_LATENTS": 2,
        "CLASSIFIER_AUGMENTATION": 3,
        "GAN_ORDER": 3,
        "GAN_STEP": 4,
        "SYNTHETIC_LATENTS": 6,
        "REAL_SHARE": 7,
        "ARM_FIT": 8,
        "GAN_OF_CLASS": 9,
        "OWN_ANNOTATOR": 11,
        "SAMPLE_LATENTS": 12,
        "TRIAL_SAMPLER": 20,
        "UNTRIED_OPTIONS": 21,
        "CONTROL_SPLIT": 21,
        "CONTROL_FIT": 22,
        "REPLICATE": 23,
        "FURTHER_FIT": 24,
        "REFERENCE_LATENTS": 25,
        "IMPORT_ORDER": 26,
        "BALANCED_ORDER": 27,
        "IMPORTED_DRAW": 28,
        "MEMBERSHIP": 31,
        "CONTROL_IMAGES": 32,
        "GAN_MEMBER": 34,
    }


SEEDED = {"derive_seed", "make_generator", "seed_everything", "Draws"}


def bare_streams(source: str) -> list[str]:
    """Return the calls that derive a seed from a bare integer."""
    return [
        ast.unparse(call)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in SEEDED
        # the batch size of Draws is no part of a seed, and is no literal either
        if any(isinstance(part, ast.Constant) for part in call.args)
    ]


def test_a_bare_stream_is_found() -> None:
    """The check below does find such a call."""
    assert bare_streams("make_generator(seed, 3)\nseeding.derive_seed(seed, Stream.GAN_STEP)") == [
        "make_generator(seed, 3)"
    ]


@pytest.mark.parametrize("room", ["jobs", "shared"])
def test_every_stream_has_a_name(room: str) -> None:
    """No seed is derived from a bare integer, which could silently be used elsewhere too."""
    root = Path(__file__).parents[3] / room
    found = {str(path): bare_streams(path.read_text(encoding="utf-8")) for path in root.rglob("*.py")}
    assert len(found) > 10
    assert {path: calls for path, calls in found.items() if calls} == {}

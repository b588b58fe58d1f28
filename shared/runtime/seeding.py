"""Where chance comes from: every draw is a function of the seed and of what is drawn, so nothing has to be saved."""

import torch


def derive_seed(*parts: int) -> int:
    """Return a 63-bit seed that depends on every part and its place (splitmix64, Steele et al. 2014)."""
    state = 0
    for part in parts:
        state = (state + part + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state >> 1


def seed_everything(*parts: int) -> None:
    """Seed torch's generators, of every device, from `parts`."""
    torch.manual_seed(derive_seed(*parts))


def make_generator(*parts: int) -> torch.Generator:
    """Return a CPU generator of its own, seeded from `parts`."""
    return torch.Generator().manual_seed(derive_seed(*parts))

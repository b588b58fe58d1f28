"""How much of the GPU's arithmetic a training uses: its operations a second against those of a matrix product."""

from collections.abc import Iterator

import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.gpu.part import Iteration, Row, Task, rounds_of, spread
from tests.gpu.parts.training import MODES, begin, modes, ours

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}

GOAL = 0.6
"""The share that DCGAN at 64 px and width 64 is to reach."""


def measure(task: Task) -> Iterator[Row]:
    """Yield the rate of a matrix product in each precision, then the share of it that DCGAN's iterations reach."""
    rates = {name: product_rate(task, dtype) for name, dtype in DTYPES.items()}
    for name, (middle, low, high) in rates.items():
        yield Row(f"product of matrices, {precision_of(name, task)}", "TFLOP/s", middle, low, high)
    largest = task.sizes.batches[-1]
    for mode in modes(task)[-2:]:
        name = mode.split(",")[0]
        operations = operations_of(ours(begin(task, "dcgan", largest, {}, **plain(mode))))
        seconds = rounds_of({mode: ours(begin(task, "dcgan", largest, {}, **MODES[mode]))}, task)[mode]
        middle, low, high = spread([operations / each / 1e12 / rates[name][0] for each in seconds])
        yield Row(
            f"dcgan, batch {largest:,}, {mode}: share of that product's rate", "", middle, low, high,
            goal=f"at least {GOAL:.0%}", met=middle >= GOAL,
            note=f"{operations / 1e12:.3g} TFLOP an iteration",
        )  # fmt: skip


def precision_of(name: str, task: Task) -> str:
    """Return what float32 is on a GPU: convolutions there take TF32 unless torch is told otherwise."""
    return "TF32" if name == "float32" and task.device.type == "cuda" else name


def product_rate(task: Task, dtype: torch.dtype) -> tuple[float, float, float]:
    """Return the TFLOP/s of a product of two square matrices of random numbers."""
    side = task.sizes.matrix
    one, other = (torch.randn(side, side, device=task.device).to(dtype) for _ in range(2))
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True  # as convolutions do
    try:
        seconds = rounds_of({"product": lambda: one @ other}, task)["product"]
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed
    return spread([2 * side**3 / each / 1e12 for each in seconds])


def plain(mode: str) -> dict[str, object]:
    """Return a mode's options without graphs: the operations of a replayed one cannot be counted."""
    return {name: value for name, value in MODES[mode].items() if name != "cuda_graphs"}


def operations_of(iteration: Iteration) -> int:
    """Return the floating-point operations of an iteration's convolutions and products, backward passes included."""
    with FlopCounterMode(display=False) as counter:
        iteration()
    return int(counter.get_total_flops())

"""Steps as CUDA graphs: what a step launches is recorded once, and launched as a whole from then on.

A step of small networks or a small batch takes hundreds of kernels of a few microseconds each, and launching them one
by one takes longer than they do. Shapes are the same at each step of a training, so that one recording serves all of
it; what changes, the batch and the learning rate, is copied to where the recording reads it. A replayed step computes
what the step itself does, except that the learning rate is rounded to float32.

"PyTorch's CUDA Graphs" in its notes on CUDA semantics has the rules that this follows.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import torch
from torch import Tensor

from jobs.train_gan.families import Family
from jobs.train_gan.options import GanOptions
from jobs.train_gan.steps import Batch, Losses, Models

Step = Callable[[Models, Family, GanOptions, Batch], Losses]

TAKEN_FIRST = 3
"""Steps taken one kernel at a time before one is recorded.

They make what must not be made while recording: the optimizers' moments, handles of libraries, compiled code.
"""


class Recorder(Protocol):
    """What records work on a device."""

    def apart(self) -> AbstractContextManager[object]:
        """Return the context in which work is done as it will be recorded."""

    def record(self, work: Callable[[], Losses]) -> tuple[Callable[[], None], Losses]:
        """Return what does `work` again, and the losses that it then has changed; nothing is computed before."""


class CudaRecorder:
    """Records on a stream of its own, whose recordings share their memory: no two of them run at once."""

    def __init__(self) -> None:
        # one stream for the first steps and for recording: handles of libraries belong to a stream
        self._stream = torch.cuda.Stream()
        self._pool = torch.cuda.graph_pool_handle()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Work on the recorder's stream: after all that was asked for before, and before what is asked for later."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            yield
        torch.cuda.current_stream().wait_stream(self._stream)

    def record(self, work: Callable[[], Losses]) -> tuple[Callable[[], None], Losses]:
        """Return what launches the work again, and the tensors that it leaves the losses in."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
            losses = work()
        return graph.replay, losses


class ReplayedStep:
    """A step that is recorded at its fourth call and replayed from then on; only the batch differs between calls."""

    def __init__(self, step: Step, recorder: Recorder) -> None:
        self._step, self._recorder = step, recorder
        self._taken = 0
        self._batch: Batch | None = None

    def __call__(self, models: Models, family: Family, config: GanOptions, batch: Batch) -> Losses:
        """Take the step on `batch`; return its losses."""
        if self._taken < TAKEN_FIRST:
            self._taken += 1
            with self._recorder.apart():
                return self._step(models, family, config, batch)
        if self._batch is None:
            # tensors of its own, at addresses that stay
            mine = self._batch = Batch(*(column.clone() for column in vars(batch).values()))
            self._replay, self._losses = self._recorder.record(lambda: self._step(models, family, config, mine))
        for column, new in zip(vars(self._batch).values(), vars(batch).values(), strict=True):
            column.copy_(new)
        self._replay()
        # copies: the next replay, of this recording or of one that shares its memory, overwrites them
        return {name: value.clone() for name, value in self._losses.items()}


class Graphs:
    """The steps of one training, each recorded for itself."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._steps: dict[Step, ReplayedStep] = {}

    def of(self, step: Step) -> ReplayedStep:
        """Return `step` as it is replayed."""
        if step not in self._steps:
            self._steps[step] = ReplayedStep(step, self._recorder)
        return self._steps[step]


def settle(optimizer: torch.optim.Optimizer, recorded: bool) -> None:
    """Give an optimizer what steps that are recorded, or are not, expect of it, whichever its checkpoint was made by.

    A recorded step reads the learning rate and the number of its steps from the GPU.
    """
    for group in optimizer.param_groups:
        device = group["params"][0].device
        rate = float(group["lr"])
        group["capturable"] = recorded
        group["lr"] = torch.tensor(rate, device=device) if recorded else rate
        # fused optimizers count on the device in any case, others there only where they are recorded
        for memory in (optimizer.state[weight] for weight in group["params"] if weight in optimizer.state):
            memory["step"] = memory["step"].to(device if recorded or group.get("fused") else "cpu")


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate, in place where a recorded step reads it."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate

"""What makes the processor wait for the GPU, in a profile of steps."""

from collections.abc import Callable, Iterable, Iterator

WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "cudaMemcpy")
"""Calls of CUDA's runtime that return when the GPU is there; `cudaMemcpyAsync` is none of them."""

COPIES = ("Memcpy DtoH", "Memcpy Device to Host")
"""How the profiler calls copies from the GPU, which somebody reads."""

SPAN = "steps of training"
"""What the profiler calls the time of the steps: it synchronises by itself when it ends."""

Event = tuple[str, float]
"""A name in a profile and when it began."""


def waits(events: Iterable[Event], begins: float, ends: float) -> list[str]:
    """Return the names of what waited between two times, and of copies from the GPU at any time, in order."""
    return [name for name, at in events if (name in WAITS and begins <= at <= ends) or name.startswith(COPIES)]


def profiled(work: Callable[[], object]) -> list[str]:
    """Run `work` on the GPU under the profiler; return what waited in it."""
    from torch.profiler import ProfilerActivity, profile, record_function

    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler, record_function(SPAN):
        work()
    events = list(profiler.events() or ())
    span = next(event for event in events if event.name == SPAN and "cpu" in str(event.device_type).lower())
    return waits(_named(events), span.time_range.start, span.time_range.end)


def _named(events: Iterable[object]) -> Iterator[Event]:
    for event in events:
        yield event.name, event.time_range.start  # type: ignore[attr-defined]

"""A phase of the work: pieces that the parts divide, each done once by one of them.

A part does its own pieces first. Then it takes over what ended parts left, so that the last one finishes: a part that
was killed, or one that ended because others had not begun yet. Nothing is taken over from a part that never began,
which may still come.
"""

import json
import time
from collections.abc import Callable, Sequence

from shared.cli.run import Run
from shared.format.files import write_json
from shared.store.locks import PartState, claimed, part_state
from shared.store.work_shards import FOLDER, Shard, WorkShards

POLL_S = 0.5
"""How often a part that waits looks for the pieces of others."""

Do = Callable[[list[int]], None]
"""Does pieces, given their numbers, and records each of them."""


class Phases:
    """The phases of a run, one after another, and which parts go through the same ones."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.plans: dict[str, str] = {}

    def begin(self, name: str, count: int, plan: object) -> "Phase":
        """Begin the phase `name` of `count` pieces that depend on `plan`, as JSON holds it, and tell the others."""
        pieces = WorkShards(self.run, count, plan, name)
        self.plans[name] = pieces.plan
        if self.run.shard.count > 1:
            write_json(self.run.folder / FOLDER / f"plans-{self.run.shard.index:05d}.json", self.plans)
        return Phase(self, pieces)

    def agrees(self, part: int) -> bool:
        """Whether a part works by the same plans, as far as both have any.

        One that found other files makes no piece that this one can use: they must not wait for each other.
        """
        try:
            plans = json.loads((self.run.folder / FOLDER / f"plans-{part:05d}.json").read_bytes())
        except FileNotFoundError:
            return True
        return all(plan == self.plans.get(name, plan) for name, plan in plans.items())


class Phase:
    """The pieces of one phase, and this part's way through them."""

    def __init__(self, phases: Phases, pieces: WorkShards) -> None:
        self.phases, self.run, self.pieces = phases, phases.run, pieces

    def divide(self, do: Do) -> bool:
        """Do this part's pieces, then those that ended parts left; return whether others are at some of these."""
        mine, busy = self.run.shard, False
        for step in range(mine.count):
            part = Shard((mine.index + step) % mine.count, mine.count)
            if not self.pieces.todo(part) or (step and self._state(part.index) is not PartState.ENDED):
                continue
            if mine.count == 1:
                do(self.pieces.todo())
                continue
            with claimed(self.run.folder, part.index) as is_claimed:
                # looked at again: whoever had the claim before may have done some
                todo = [number for number in self.pieces.todo(part) if not self.pieces.is_done(number)]
                if is_claimed and todo:
                    do(todo)
            busy = busy or not is_claimed
        return busy

    def complete(self, do: Do) -> bool:
        """Divide the pieces and wait while parts are at work on the rest; return whether all are done.

        False where some belong to parts that are not at work: they are to be started, and this one is at its end.
        """
        waits = False
        while self.run.folder.exists():  # it is gone once another part has committed, of other files perhaps
            busy = self.divide(do)
            states = {part: self._state(part) for part in self._lacking()}
            if not states:
                return True
            comes = [part for part, state in states.items() if state is PartState.AT_WORK and self.phases.agrees(part)]
            # one that ended since `divide` looked has left its pieces
            if not (busy or comes or PartState.ENDED in states.values()):
                self.run.reporter.info(f"{self.pieces.name}: missing from {_named([*states])}, not at work on them")
                return False
            if not waits and comes:
                self.run.reporter.info(f"{self.pieces.name}: waiting for {_named(comes)}")
                waits = True
            time.sleep(POLL_S)
            if self.run.reporter.stop.signal_name:
                self.run.reporter.stop.raise_if_set()
        return False

    def _lacking(self) -> list[int]:
        """Return the numbers of the parts whose pieces are not all done."""
        count = self.run.shard.count
        return [index for index in range(count) if self.pieces.todo(Shard(index, count))]

    def _state(self, part: int) -> PartState:
        if part == self.run.shard.index:
            # its pieces are not done because another process has the claim: that one ends, or does them
            return PartState.ENDED
        return part_state(self.run.folder, part)


def _named(parts: Sequence[int]) -> str:
    return f"part{'s' if len(parts) > 1 else ''} {', '.join(map(str, parts))}"

"""Everything that can go wrong, as one tree; the command line turns it into exit codes.

::

    HalfrealError                 1   anything else: trying again may help
    +-- BadInput                  2   never retry: the user, a file or another job must change
    |   +-- BadConfig             2   an option or a recipe is wrong
    |   +-- FormatError           2   a shard, checkpoint or manifest is not what its specification says
    |   `-- MissingArtifact       2   an input artifact is absent or unfinished
    +-- Busy                     75   another process is making the same artifact: run again later
    |   `-- Lost                 75   another process has taken it over: nothing more is written, run again later
    `-- Interrupted              75   stopped by a signal, state saved: run the same command again

A message says where, what came, what was wanted and what to do next, in at most three lines.
"""


class HalfrealError(Exception):
    """Any failure that halfreal explains; `exit_code` is what the process ends with."""

    exit_code = 1  # Kubernetes retries a Job's pod after 1 and gives up after 2: see `podFailurePolicy` in k8s


class BadInput(HalfrealError):
    """Something the user, a file or another job must change; retrying cannot help."""

    exit_code = 2


class BadConfig(BadInput):
    """An option or a recipe has a value that cannot work."""


class FormatError(BadInput):
    """A shard, checkpoint or manifest is not what its specification says."""


class MissingArtifact(BadInput):
    """An input artifact is absent or was never finished."""


class Busy(HalfrealError):
    """Another process holds the lock of the artifact."""

    exit_code = 75


class Lost(Busy):
    """Another process has taken over the lock of the artifact, since nothing was heard of this one."""


class Interrupted(HalfrealError):
    """A signal asked the job to stop; all that can be resumed has been saved."""

    exit_code = 75

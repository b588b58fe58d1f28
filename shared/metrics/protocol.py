"""What a score depends on, in words. Scores of different protocols must not be compared."""

from shared.store.records.scores import Protocol


def in_words(protocol: Protocol) -> str:
    """Return a protocol as one line for people."""
    return (
        f"{protocol.n_synthetic:,} synthetic against {protocol.n_real:,} real {protocol.reference} images "
        f"(manifest {protocol.reference_sha256[:8]}); {protocol.extractor} {protocol.extractor_sha256[:8]}, "
        f"resizer: {protocol.resizer}; {protocol.quantisation}; seed {protocol.seed}"
        + ("; WEIGHTS THAT NOBODY PUBLISHED: made for a test" if protocol.unpublished else "")
    )


def differences(first: Protocol, second: Protocol) -> list[str]:
    """Say in words in what two protocols differ; empty if their scores may be compared."""
    ours, theirs = dict(first), dict(second)
    differ = [name for name in sorted(ours) if ours[name] != theirs[name]]
    return [f"{name}: {_short(name, ours[name])} and {_short(name, theirs[name])}" for name in differ]


def _short(name: str, value: object) -> str:
    """Return a value as text; of a hash the beginning, as elsewhere."""
    return str(value)[:8] if name.endswith("sha256") else str(value)

"""What a score depends on. Scores of different protocols must not be compared."""

from dataclasses import asdict, dataclass
from typing import Any

QUANTISATION = "uint8, rounded half to even"


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The protocol of a score: n, reference and its hash, extractor and its hash, resizer, quantisation, seed."""

    extractor: str
    extractor_sha256: str
    resizer: str
    quantisation: str = QUANTISATION
    reference: str
    reference_sha256: str
    n_real: int
    n_synthetic: int
    seed: int

    def facts(self) -> dict[str, Any]:
        """Return it as a manifest stores it."""
        return asdict(self)


def in_words(protocol: dict[str, Any]) -> str:
    """Return a protocol as one line for people."""
    return (
        f"{protocol['n_synthetic']:,} synthetic against {protocol['n_real']:,} real {protocol['reference']} images "
        f"(manifest {protocol['reference_sha256'][:8]}); {protocol['extractor']} {protocol['extractor_sha256'][:8]}, "
        f"resizer: {protocol['resizer']}; {protocol['quantisation']}; seed {protocol['seed']}"
    )


def differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Say in words in what two protocols differ; empty if their scores may be compared."""
    return [
        f"{name}: {first.get(name)} and {second.get(name)}"
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    ]

"""Findings for people and for scripts."""

from collections.abc import Iterator, Sequence

from jobs.commands.results_json import Json, without_nan
from jobs.selfcheck.findings import FAIL, PASS, UNDERPOWERED, Check, Finding
from jobs.selfcheck.pieces import Plan
from jobs.selfcheck.sets import RealSets
from shared.cli.options import recorded


def lines(finding: Finding) -> Iterator[str]:
    """Yield what is printed of a control: its status, then what was given and what is right."""
    yield f"{finding.status:12} {finding.name}: {finding.about}"
    for check in finding.checks:
        mark = "" if check.status == PASS else f"  <- {check.status}"
        yield f"             {check.about}: {check.given}; right: {check.expected}{mark}"


def summary(findings: Sequence[Finding]) -> str:
    """Return the last line."""
    counts = [(status, sum(found.status == status for found in findings)) for status in (PASS, UNDERPOWERED, FAIL)]
    return ", ".join(f"{count} {status}" for status, count in counts if count)


def as_json(plan: Plan, sets: RealSets, findings: Sequence[Finding], replicates: int) -> Json:
    """Return all findings for scripts: shares of 1, null where there is no number."""
    return without_nan(
        {
            "real": {
                "name": sets.name,
                "classes": sets.classes,
                **{split: len(getattr(sets, split)) for split in ("train", "pool", "val", "test")},
            },
            "replicates": replicates,
            "seed": plan.seed,
            "options": recorded(plan.config),
            "controls": [control_json(found) for found in findings],
        }
    )


def control_json(found: Finding) -> dict[str, Json]:
    """Return a control's finding for scripts."""
    facts = found.record.facts()
    return {
        "control": found.name,
        "about": found.about,
        "status": found.status,
        "checks": [check_json(check) for check in found.checks],
        "headline": facts["headline"],
        "questions": facts["questions"],
        "arms": facts["arms"],
        "variance": facts["variance"],
        "worth": facts["worth"],
        "synthetic_counts": facts["synthetic_counts"],
        "copies": [{space: test.facts() for space, test in spaces.items()} for spaces in found.signs.copies],
        "membership": [{space: test.facts() for space, test in spaces.items()} for spaces in found.signs.membership],
        "collapsed": list(found.signs.collapsed),
    }


def check_json(check: Check) -> dict[str, Json]:
    """Return a check for scripts."""
    return {"about": check.about, "expected": check.expected, "given": check.given, "status": check.status}

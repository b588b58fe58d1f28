"""Prometheus's text format by a strict grammar, of the part that node_exporter's textfile collector takes."""

import re

from shared.runtime.observe.metrics import METRICS, PREFIX

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
NUMBER = r"NaN|[+-]Inf|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"
HELP, TYPE = re.compile(rf"# HELP ({NAME}) (\S.*)"), re.compile(rf"# TYPE ({NAME}) (counter|gauge)")
SAMPLE = re.compile(rf"({NAME})\{{((?:{LABEL})(?:,{LABEL})*)\}} ({NUMBER})")  # a timestamp would be refused

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parse(text: str) -> Samples:
    """Return the value of each (name without prefix, labels); AssertionError where the text breaks the grammar.

    Every name has its help and its type before its samples, and they follow each other; no sample occurs twice.
    """
    assert text.endswith("\n")
    samples: Samples = {}
    lines, seen, name = text.splitlines(), set[str](), ""
    for line in lines:
        if helped := HELP.fullmatch(line):
            name = helped[1]
            assert name not in seen, line
            seen.add(name)
        elif typed := TYPE.fullmatch(line):
            assert typed[1] == name, line
            assert typed[2] == METRICS[name.removeprefix(PREFIX)].kind
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            assert sample[1] == name, line
            labels = tuple(
                (pair.partition("=")[0], _unescaped(pair.partition("=")[2][1:-1]))
                for pair in re.findall(LABEL, sample[2])
            )
            assert (name, labels) not in samples, line
            samples[name.removeprefix(PREFIX), labels] = float(sample[3])
    return samples


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def values(text: str) -> dict[str, float]:
    """Return the value of each number by its name, a loss by `loss:name`; the labels are left out."""
    return {
        f"{name}:{dict(labels)['loss']}" if "loss" in dict(labels) else name: value
        for (name, labels), value in parse(text).items()
    }

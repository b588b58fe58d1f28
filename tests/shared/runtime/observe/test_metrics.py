"""The table of metrics, the text that they become, and the dashboard that shows them."""

import json
import math
import re
from pathlib import Path

import pytest
import yaml

from shared.runtime.observe.metrics import LABELS, METRICS, PREFIX, Values
from tests.containers.strict import faults
from tests.shared.runtime.observe.exposition import SAMPLE, parse

ROOT = Path(__file__).resolve().parents[4]
DASHBOARD = json.loads((ROOT / "k8s" / "grafana-dashboard.json").read_text(encoding="utf-8"))
WHOSE = {"job": "train_gan", "experiment": "digits", "replicate": "1", "rank": "0"}

FUNCTIONS = {"sum", "by", "rate", "time", "on", "unless", "m"}


@pytest.mark.parametrize("name", METRICS)
def test_a_name_ends_in_its_unit(name: str) -> None:
    """By Prometheus's conventions: base units, and `_total` where a counter rises; two numbers have no unit."""
    metric = METRICS[name]
    assert name.endswith(f"_{metric.unit}") if metric.unit else name in ("loss", "job_exit_code")
    assert name.endswith("_total") == (metric.kind == "counter")
    assert re.fullmatch("[a-z][a-z_]*", name)
    assert metric.help.endswith(".")


def test_every_number_is_written_as_prometheus_reads_it() -> None:
    """Each row of the table has its help, its type and its value with the same labels."""
    values = Values()
    for number, (name, metric) in enumerate(METRICS.items()):
        if metric.kind == "counter":
            values.add(name, number)
        else:
            values.set(name, number + 0.5, "generator_loss" if metric.label else "")
    values.set("loss", 1e-9, "discriminator_loss")
    samples = parse(values.text(WHOSE))
    assert {name for name, _ in samples} == METRICS.keys()
    assert {tuple(dict(labels))[: len(LABELS)] for _, labels in samples} == {LABELS}
    assert {value for (name, _), value in samples.items() if name == "loss"} == {5.5, 1e-9}
    assert samples["images_seen_total", tuple(WHOSE.items())] == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0, 2**53, -0.25, 1e300, 1e-300])
def test_any_number_is_read_back(value: float) -> None:
    """NaN and infinities are words of the format, large whole numbers keep their digits."""
    values = Values()
    values.set("loss", value, "a")
    (read,) = parse(values.text(WHOSE)).values()
    assert read == value or (math.isnan(read) and math.isnan(value))


@pytest.mark.parametrize("name", ['a "quoted" name', "back\\slash", "two\nlines", "日本", "{}", "a,b"])
def test_any_name_of_an_experiment_is_read_back(name: str) -> None:
    """Labels are escaped: no name breaks the file, which would hide every other job's numbers."""
    values = Values()
    values.set("progress_ratio", 0.5)
    ((_, labels),) = parse(values.text(WHOSE | {"experiment": name}))
    assert dict(labels)["experiment"] == name


def test_a_counter_only_rises() -> None:
    """A gauge cannot be added to: the kind in the file would be wrong."""
    values = Values()
    values.add("images_seen_total", 3)
    values.add("images_seen_total", 4)
    assert values.of("images_seen_total") == 7
    with pytest.raises(AssertionError):
        values.add("progress_ratio", 1)
    with pytest.raises(AssertionError):
        values.set("loss", 1.0)  # it is one of several


def expressions() -> list[str]:
    """Return the expression of every target of every panel."""
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def test_the_dashboard_shows_what_jobs_write_and_nothing_else() -> None:
    """Every metric of the table is on a panel; every name in an expression is one of the table."""
    used = {name for expr in expressions() for name in re.findall(r"\bhalfreal_\w+", expr)}
    assert used == {f"{PREFIX}{name}" for name in METRICS}


def test_expressions_use_labels_that_numbers_have() -> None:
    """Selectors, `by` and `on` name labels that every number has; what is left are functions of PromQL."""
    for expr in expressions():
        plain = re.sub(r'"[^"]*"', "", re.sub(r"\bhalfreal_\w+", "", expr))
        assert set(re.findall(r"[a-z_]+", plain)) <= FUNCTIONS | set(LABELS), expr
        assert plain.count("(") == plain.count(")")
    legends = [target["legendFormat"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    assert {word for text in legends for word in re.findall(r"\{\{(\w+)\}\}", text)} <= {*LABELS, "loss"}


def test_rates_are_of_counters() -> None:
    """A rate of a gauge means nothing, and a counter by itself says little."""
    for expr in expressions():
        for name in re.findall(r"rate\(halfreal_(\w+)", expr):
            assert METRICS[name].kind == "counter"
        for name in re.findall(r"(?<!rate\()halfreal_(\w+)", expr):
            assert METRICS[name].kind == "gauge" or name == "errors_total"  # 0 or 1


def test_the_page_lists_what_jobs_write() -> None:
    """Each number with its kind and its meaning, in the order of the files; its example is of that form."""
    page = (ROOT / "docs" / "observe.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `halfreal_(\w+)` \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    assert rows == [(name, metric.kind, metric.help) for name, metric in METRICS.items()]
    shown = re.findall(r"^halfreal_\w+\{.*$", page, re.MULTILINE)
    assert len(shown) == 4
    for line in shown:
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        assert sample[1].removeprefix(PREFIX) in METRICS
        assert tuple(re.findall(r"(\w+)=", sample[2])) == LABELS


def test_the_exporter_may_run_where_the_jobs_do() -> None:
    """Its pod passes Pod Security `restricted`, reads the volume of the jobs alone, and may be reached."""
    doc = yaml.safe_load((ROOT / "k8s" / "metrics-exporter.yaml").read_text(encoding="utf-8"))
    template = doc["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "exporter"}, "spec": template["spec"]}
    assert [*faults(doc), *faults(pod)] == []
    assert doc["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    (exporter,) = template["spec"]["containers"]
    assert exporter["volumeMounts"] == [{"name": "data", "mountPath": "/data", "readOnly": True}]
    assert template["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "data"
    policy = yaml.safe_load((ROOT / "k8s" / "base" / "network-policy.yaml").read_text(encoding="utf-8"))
    assert not policy["spec"]["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert "--collector.textfile.directory=/data/metrics" in exporter["args"]


def test_panels_are_as_grafana_wants_them() -> None:
    """Panels have numbers, titles and places of their own; nothing overlaps, nothing is wider than the page."""
    panels = DASHBOARD["panels"]
    for key in ("id", "title"):
        assert len({panel[key] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps([panel["targets"] for panel in panels]))) <= variables

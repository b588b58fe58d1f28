"""Write argo.yaml and kubeflow.yaml: `python -m k8s.workflows [--image IMAGE] [--gpus N] [--out FOLDER]`."""

import argparse
from pathlib import Path

import yaml

from k8s.workflows import argo, kubeflow
from k8s.workflows.table import Doc, image


def texts(name: str, gpus: int) -> dict[str, str]:
    """Return the text of each file, by its name, for this image and number of GPUs."""
    return {
        "argo.yaml": argo.HEADER + _text(argo.workflow(name, gpus)),
        "kubeflow.yaml": kubeflow.HEADER + _text(kubeflow.pipeline(name, gpus)),
    }


def _text(docs: list[Doc]) -> str:
    class Plain(yaml.SafeDumper):  # type: ignore[misc]  # it has no annotations
        """YAML that says equal things twice, in place of naming the first of them."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    text: str = yaml.dump_all(docs, Dumper=Plain, sort_keys=False, width=120)
    return text


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(prog="python -m k8s.workflows", description=__doc__)
    parser.add_argument("--image", default=image(), help="where nodes find the image (default: %(default)s)")
    parser.add_argument("--gpus", type=int, default=0, help="of each job that uses one (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="the folder (default: %(default)s)")
    asked = parser.parse_args()
    for name, text in texts(asked.image, asked.gpus).items():
        (asked.out / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

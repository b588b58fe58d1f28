"""Make the environment of the benchmarks: `python -m tests.bench.peers FOLDER`.

It sees everything that this one has and holds in addition the peers, without what they ask for: some pin old versions
that would replace the ones that halfreal runs on. A peer that cannot be installed is named; its rows then skip it.
"""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

PEERS = {
    "img2dataset": (
        *("img2dataset==1.47.0", "albumentations==1.3.1", "qudida", "exifread", "fire", "termcolor"),
        *("scikit-image", "imageio", "tifffile", "lazy_loader", "opencv-python-headless"),
        *("wandb", "sentry-sdk", "gitpython", "gitdb", "smmap", "platformdirs"),
    ),
    "litdata": (
        *("litdata==0.2.76", "lightning-utilities", "boto3", "botocore", "s3transfer", "jmespath", "tifffile"),
        "obstore",
    ),
    "mosaicml-streaming": (
        *("mosaicml-streaming==0.13.0", "boto3", "botocore", "s3transfer", "jmespath", "zstd", "Brotli"),
        *("python-snappy", "cramjam", "xxhash", "catalogue", "transformers", "tokenizers", "regex"),
        *("huggingface_hub", "hf-xet", "httpx", "httpcore", "h11", "anyio", "sniffio"),
        *("typer", "shellingham", "oci", "paramiko", "azure-storage-blob", "azure-core", "azure-identity"),
        "google-cloud-storage",
    ),
    "pytorch-fid": ("pytorch-fid==0.3.0",),
    "torch-mimicry": ("torch-mimicry==0.1.16",),
    "torchgan": ("torchgan==0.1.0",),
}
"""What is installed for each peer."""


def main() -> None:
    """Create the environment if it is missing, and install each missing peer."""
    folder = Path(sys.argv[1]).resolve()
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, symlinks=True)
        inside = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        ours = sysconfig.get_path("purelib")
        path = Path(inside.stdout.strip()) / "_halfreal.pth"
        path.write_text(f"import site; site.addsitedir({ours!r})\n", encoding="utf-8")
    for name, packages in PEERS.items():
        mark = folder / f".{name}"
        if mark.exists() and mark.read_text(encoding="utf-8") == "\n".join(packages):
            continue
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, "--no-deps", *packages], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
        else:
            mark.write_text("\n".join(packages), encoding="utf-8")


if __name__ == "__main__":
    main()

"""When does synthetic data help? `python -m tests.checks.helps search|confirm|table --out DIR`.

`search` trains GANs on a half of the real images of MNIST, digits and emoji, and compares classifiers trained with
their images and without. `confirm` takes of each classifier the setting whose interval lies highest, and does it again
from other seeds, on images of which the search saw none. `table` prints both. A stopped search goes on where it was.

MNIST's four .gz files are in DATA/mnist, folders of emoji in DATA/emoji; DATA is HALFREAL_TEST_DATA or --data.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.checks.helps.choice import SearchWentOn, Unfinished, choose, gan_named
from tests.checks.helps.images import CONFIRM, SEARCH, SETS, Half, Overlap, halves
from tests.checks.helps.phases import PHASES, Found, OtherResult, all_found, check_made_from, check_seeds, result_path
from tests.checks.helps.settings import BASELINE, CLASSIFIERS, CONTROLS, GANS, Gan

REFUSED = (Overlap, OtherResult, SearchWentOn, Unfinished)
"""What a call may be refused for."""


def search(gans: Sequence[Gan], out: Path, data: Path) -> None:
    """Train what is not yet trained of the search."""
    from tests.checks.helps.experiment import make

    for gan in gans:
        arms = (BASELINE, *gan.arms)
        make(gan, half_of(gan, SEARCH, data), PHASES[SEARCH], dict.fromkeys(CLASSIFIERS, arms), out)


def confirm(out: Path, data: Path) -> None:
    """Choose of what was searched, and train what is not yet trained of the confirmation."""
    from tests.checks.helps.experiment import make

    check_seeds(PHASES[SEARCH].seeds, PHASES[CONFIRM].seeds)
    check_search(out, data)
    choice = choose(out)
    for setting in choice.settings:
        gan = gan_named(setting.gan)
        arms = {setting.classifier: (BASELINE, setting.arm, *CONTROLS)}
        made = make(gan, half_of(gan, CONFIRM, data), PHASES[CONFIRM], arms, out)
        check_seeds(seeds_in(all_found(out, SEARCH)), seeds_in(made))


def check_search(out: Path, data: Path) -> None:
    """Raise OtherResult where a result of the search was made from other options or images than its row has now."""
    from tests.checks.helps.experiment import made_from

    results = list(all_found(out, SEARCH))
    digests = {
        name: halves(SETS[name](data))[SEARCH].digest for name in {gan_named(each.gan).images for each in results}
    }
    for found in results:
        gan, path = gan_named(found.gan), result_path(out, SEARCH, found.gan, found.classifier)
        options = made_from(gan, found.classifier, (BASELINE, *gan.arms), PHASES[SEARCH])
        check_made_from(path, found, options, digests[gan.images])


def seeds_in(results: Iterable[Found]) -> list[int]:
    """Return the seeds of every fit of these results."""
    return [seed for found in results for seed in found.seeds]


def half_of(gan: Gan, phase: str, data: Path) -> Half:
    """Return the real images of a phase; Overlap where the other one has some of them."""
    return halves(SETS[gan.images](data))[phase]


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=(SEARCH, CONFIRM, "table"))
    parser.add_argument("--out", type=Path, required=True, help="folder of experiments and results")
    parser.add_argument("--data", type=Path, default=os.environ.get("HALFREAL_TEST_DATA"), help="folder of the sets")
    parser.add_argument(
        "--gan", action="append", choices=[gan.name for gan in GANS], help="search these rows alone; repeatable"
    )
    given = parser.parse_args(words)
    if given.what != "table":
        if given.data is None:
            parser.error("where are mnist and emoji? want --data DIR or HALFREAL_TEST_DATA")
        if given.what == SEARCH:
            search([gan for gan in GANS if not given.gan or gan.name in given.gan], given.out, Path(given.data))
        else:
            confirm(given.out, Path(given.data))
    from tests.checks.helps.table import lines

    print(*lines(given.out), sep="\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except REFUSED as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        sys.exit(75)

from pathlib import Path

import pytest

from shared.cli.recipes import DEFAULT_RECIPE, Published, load_recipe, recipe_names, to_toml
from shared.errors import BadConfig
from shared.limits import RECIPE_DOTS

JOB_NAMES = ("preprocess", "train_classifier", "train_gan", "evaluate", "synthesize", "train_mixed", "tune", "report")


def _write(folder: Path, text: str) -> str:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_default_recipe_ships_with_halfreal() -> None:
    """The recipe that is used without --recipe is one of those that `halfreal recipes` lists."""
    assert DEFAULT_RECIPE in recipe_names()


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_loads_and_says_what_it_shows(name: str) -> None:
    """A shipped recipe has a line `about` and only tables of existing jobs."""
    recipe = load_recipe(name, JOB_NAMES)
    assert recipe.name == name
    assert len(recipe.words["about"]) > 10
    assert recipe.jobs


def test_an_own_recipe_is_a_path_and_gives_its_name(tmp_path: Path) -> None:
    """A path that ends in .toml is read as it is; the experiment is named after the file."""
    path = _write(tmp_path, 'about = "mine"\nseed = 3\n[preprocess]\nsize_px = 32\n')
    recipe = load_recipe(path)
    assert (recipe.name, recipe.words, recipe.common) == ("own", {"about": "mine"}, {"seed": 3})
    assert recipe.tables("preprocess") == [{"seed": 3}, {"size_px": 32}]


@pytest.mark.parametrize(
    ("text", "job", "tables"),
    [
        ("", "preprocess", [{}]),
        ("seed = 3", "preprocess", [{"seed": 3}]),
        ("seed = 3\n[preprocess]\nsize_px = 32", "preprocess", [{"seed": 3}, {"size_px": 32}]),
        ("seed = 3\n[preprocess]\nseed = 4", "preprocess", [{"seed": 3}, {"seed": 4}]),
        ("seed = 3\n[preprocess]\nseed = 4", "report", [{"seed": 3}]),
    ],
)
def test_a_job_gets_its_table_and_the_common_seed(
    tmp_path: Path, text: str, job: str, tables: list[dict[str, object]]
) -> None:
    """A job's own table overrides common values; other jobs' tables are ignored."""
    assert load_recipe(_write(tmp_path, text)).tables(job) == tables


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("about = ", "cannot be read as TOML"),
        ("about = 1", "want `about`, .* to be text"),
        ("extends = 1", "`extends` to be text"),
        ('extends = "own.toml"', "extends itself"),
        ('extends = "nothing"', "not found\ntake one of"),
        ("seed = 0.5", "`seed`, `threads`, `replicates` a whole number"),
        ('seed = "0"', "`seed`, `threads`, `replicates` a whole number"),
        ("[gan]\nepochs = 1", "'gan' is no table of a job\nthe jobs are .*preprocess"),
        ("preprocess = 1", "want a table of options: .preprocess."),
        ("[[preprocess]]\nsize_px = 16", "want a table of options: .preprocess."),
        ("published = 1", "want a table of numbers: .published."),
        ("[published]\nfid_low = 1.0", "'fid_low'; did you mean fid_lowest.*\nit may have"),
        ('[published]\nfid_lowest = "1"', "fid_lowest = '1'; want a number"),
        ("[published]\nfid_lowest = true", "fid_lowest = True; want a number"),
        ("[published]\nfid_lowest = nan", "fid_lowest = nan; want a number"),
        (f"[published]\nfid_lowest = 1{400 * '0'}", "fid_lowest = 1000.*; want a number"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """The error names the file and its mistake."""
    with pytest.raises(BadConfig, match=rf"(?s)own\.toml: .*{words}"):
        load_recipe(_write(tmp_path, text), JOB_NAMES)


def test_a_misspelt_key_is_answered_with_those_there_are(tmp_path: Path) -> None:
    """Also where nobody knows yet which tables a recipe may have."""
    with pytest.raises(BadConfig, match=r"did you mean replicates\?; want.*\nother keys are about, follows"):
        load_recipe(_write(tmp_path, "replicate = 2"))


def test_a_misspelt_table_is_answered_with_the_nearest_job(tmp_path: Path) -> None:
    """An unknown table is refused, also in a base recipe, with the nearest job's name."""
    _write(tmp_path, "[train_gun]\nepochs = 1\n")
    (tmp_path / "above.toml").write_text('extends = "own.toml"\n', encoding="utf-8")
    with pytest.raises(BadConfig, match=r"(?s)above\.toml: extends .*'train_gun' .*; did you mean train_gan\?"):
        load_recipe(str(tmp_path / "above.toml"), JOB_NAMES)
    assert load_recipe(str(tmp_path / "above.toml")).jobs == ["train_gun"]


def test_a_recipe_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """TOML is UTF-8; another encoding or a folder is refused as a bad option, not as an internal error."""
    (tmp_path / "bytes.toml").write_bytes(b'about = "\xff"')
    (tmp_path / "folder.toml").mkdir()
    for name in ("bytes.toml", "folder.toml"):
        with pytest.raises(BadConfig, match="cannot be read as TOML"):
            load_recipe(str(tmp_path / name))


def test_what_a_parser_takes_long_for_is_refused_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of thousands of parts takes time with their square, alone or inside a table: its line is named."""
    path = _write(tmp_path, f"seed = 0\n[tune]\nspace = {{ a{'.a' * RECIPE_DOTS} = 1 }}\n")
    assert load_recipe(path).tables("tune")
    _write(tmp_path, f"seed = 0\n[tune]\nspace = {{ a{'.a' * (RECIPE_DOTS + 1)} = 1 }}\n")
    monkeypatch.setattr("tomllib.loads", None)
    with pytest.raises(BadConfig, match=r"own\.toml, line 3: 51 dots; want at most 50"):
        load_recipe(path)


def test_a_number_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    """The reason is the recipe's, not what a programmer would set."""
    with pytest.raises(BadConfig, match=r"own\.toml: cannot be read as TOML \(a number of more than 4,300 digits\)$"):
        load_recipe(_write(tmp_path, f"seed = {'1' * 5000}\n"))


@pytest.mark.parametrize("name", ["nope", "nope.toml", ""])
def test_an_unknown_recipe_is_answered_with_the_known_ones(name: str) -> None:
    """The error lists the known names and the alternative: a path."""
    with pytest.raises(BadConfig, match=rf"recipe '{name}': not found\ntake one of .*digits.*or name a \.toml"):
        load_recipe(name)


def test_a_recipe_says_only_what_differs_from_the_one_it_extends(tmp_path: Path) -> None:
    """Options, common values and texts of the base recipe hold unless the extending one has its own."""
    (tmp_path / "below.toml").write_text(
        'about = "b"\nneeds = "much"\nseed = 1\nthreads = 2\n[train_gan]\nwidth = 4\nlatent = 5\n[report]\nseed = 9\n'
    )
    path = _write(
        tmp_path, 'extends = "below.toml"\nabout = "a"\nseed = 3\n[train_gan]\nwidth = 8\n[evaluate]\nimages = 6\n'
    )
    recipe = load_recipe(path)
    assert (recipe.name, recipe.words, recipe.common) == (
        "own",
        {"about": "a", "needs": "much"},
        {"seed": 3, "threads": 2},
    )
    assert {job: recipe.tables(job)[1:] for job in recipe.jobs} == {
        "train_gan": [{"width": 4, "latent": 5}, {"width": 8}],
        "report": [{"seed": 9}],
        "evaluate": [{"images": 6}],
    }
    assert [layer.path.name for layer in recipe.layers] == ["below.toml", "own.toml"]


def test_a_recipe_keeps_or_replaces_what_the_one_below_printed(tmp_path: Path) -> None:
    """The printed numbers are those of one file, which is named: the recipe's own table, whole, or the one below."""
    (tmp_path / "below.toml").write_text("[published]\nfid_lowest = 2\nfid_mean = 3.5\n")
    extends = 'extends = "below.toml"\n'
    inherited = load_recipe(_write(tmp_path, extends)).published
    assert inherited == Published("below", {"fid_lowest": 2.0, "fid_mean": 3.5})
    assert load_recipe(_write(tmp_path, extends + "[published]\n")).published == Published("own", {})
    own = load_recipe(_write(tmp_path, extends + "[published]\nfid_mean = 4.0\n")).published
    assert own == Published("own", {"fid_mean": 4.0})
    assert load_recipe(_write(tmp_path, "seed = 1")).published is None


def test_the_printed_numbers_are_those_of_the_published_systems() -> None:
    """FID of DCGAN and ACGAN on CIFAR10, Inception Score and accuracies of the rock-paper-scissors cGAN; no others."""
    names = [f"{name}{twin}" for name in recipe_names() if not name.endswith("_tuned") for twin in ("", "_tuned")]
    known = {name: load_recipe(name).published for name in names if name in recipe_names()}
    printed = {name: (each.recipe, tuple(each.values.values())) for name, each in known.items() if each and each.values}
    fid = {"cifar10_dcgan": (238.36, 312.75, 473.5), "cifar10_acgan": (295.8, 345.084, 427.54)}
    assert printed == {
        **{f"{name}{twin}": (name, values) for name, values in fid.items() for twin in ("", "_tuned")},
        **{f"rps_cgan{twin}": ("rps_cgan", (2.48, 1.0, 1.0)) for twin in ("", "_tuned", "_learnopencv")},
    }
    assert {name for name, each in known.items() if each is None} == {"digits", "emoji", "judge"}


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_comes_back_as_it_was_written(name: str, tmp_path: Path) -> None:
    """Texts and tables of every recipe's layers, search spaces included, survive a round trip."""
    layer = load_recipe(name).layers[-1]
    own = tmp_path / f"{name}.toml"
    own.write_text(to_toml(layer.words, layer.tables), encoding="utf-8")
    again = load_recipe(str(own)).layers[-1]
    assert (again.words, again.tables) == (layer.words, layer.tables)


HEAD = b'extends = "digits"\r\nseed = 1\r\n[preprocess]\r\nlimit = 300\r\n'


def test_a_recipe_that_windows_saved_is_read(tmp_path: Path) -> None:
    """Line ends of Windows and the byte order mark of its editors change nothing, nor the line of a value."""
    path = tmp_path / "own.toml"
    for payload in (HEAD, b"\xef\xbb\xbf" + HEAD):
        path.write_bytes(payload)
        recipe = load_recipe(str(path))
        assert recipe.tables("preprocess")[-1] == {"limit": 300}
        assert recipe.place("preprocess", "limit") == f"recipe {path}, line 4"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_recipe_in_utf_16_is_refused_by_name(tmp_path: Path, encoding: str) -> None:
    """Notepad calls it Unicode; a decoding error at byte 0 would say nothing."""
    path = tmp_path / "own.toml"
    path.write_bytes(HEAD.decode().encode(encoding))
    with pytest.raises(BadConfig, match=r"own\.toml: is UTF-16; save it as UTF-8"):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('source_path = "C:\\Users\\me"', r"own\.toml: cannot be read as TOML .*\nline 3: TOML reads \\ as an escape"),
        ('source_path = "C:\\photos"', r"own\.toml: cannot be read as TOML .*\nline 3: TOML reads \\ as an escape"),
        ('source_path = "C:\\temp"', r"own\.toml, line 3: source_path = 'C:.temp' has control.*\nTOML reads \\ as"),
        ('source_path = ["a", "C:\\new"]', r"own\.toml, line 3: source_path = 'C:.new' has control"),
    ],
)
def test_backslashes_between_double_quotes_are_refused_with_their_line(tmp_path: Path, line: str, said: str) -> None:
    """TOML reads some of them as characters, and the path would be another one in silence."""
    with pytest.raises(BadConfig, match=said) as caught:
        load_recipe(_write(tmp_path, f'extends = "emoji"\n[preprocess]\n{line}\n'))
    assert "write a path with / or between ''" in str(caught.value)
    kept = line.replace('"', "'")
    recipe = load_recipe(_write(tmp_path, f'extends = "emoji"\n[preprocess]\n{kept}\n'))
    assert "C:\\" in str(recipe.tables("preprocess")[-1]["source_path"])


def test_another_mistake_gets_no_advice_about_backslashes(tmp_path: Path) -> None:
    """The advice is for the line that cannot be read alone."""
    with pytest.raises(BadConfig) as caught:
        load_recipe(_write(tmp_path, "about = 'a\\b'\nseed = \n"))
    assert "escape" not in str(caught.value)

"""The client against a real server, with faults on the way."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.errors import BadConfig, BadInput, HalfrealError
from shared.objects.address import Address, parse
from shared.objects.client import Store
from tests.objects.conftest import QUICK_S, Volume
from tests.objects.proxy import Fault

NEVER_S = "0.2"
"""The timeout where no answer will come."""


def test_an_object_is_read_as_it_was_put(volume: Volume, tmp_path: Path) -> None:
    """Whole, by range, by its version; what is not there is None."""
    (tmp_path / "file").write_bytes(bytes(range(256)) * 4)
    store = Store(volume.address)
    store.put_file("a/b", tmp_path / "file")
    found = store.get("a/b")
    assert found is not None
    assert found.payload == (tmp_path / "file").read_bytes()
    assert store.read_range("a/b", 254, 4) == b"\xfe\xff\x00\x01"
    assert found.version.is_same(store.version("a/b"))
    assert found.version.is_same(store.listed("a")["a/b"])
    assert (store.get("a/c"), store.version("a/c"), store.read_range("a/c", 0, 1)) == (None, None, None)
    assert (store.folders(""), store.listed("a/bc")) == (["a"], {})
    store.delete(["a/b", "a/never"])
    assert volume.stored() == []


def test_a_large_file_is_put_in_parts(volume: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is whole; nothing has its name before."""
    monkeypatch.setattr("shared.objects.client.AT_ONCE", 6 * 2**20)
    monkeypatch.setattr("shared.objects.client.PART", 5 * 2**20)
    (tmp_path / "large").write_bytes(bytes(range(256)) * (11 * 2**12))
    Store(volume.address).put_file("large", tmp_path / "large")
    assert volume.proxy.count("PUT", "partNumber") == 3
    assert Store(volume.address).read_range("large", 11 * 2**20 - 2, 9) == b"\xfe\xff"


def test_one_of_many_puts_on_condition_holds(volume: Volume) -> None:
    """One of eight that create at once, and one of eight that replace the same content."""
    store = Store(volume.address)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: store.put_if("one", b"made by %d" % n, None), range(8)))
        (first,) = [version for version in made if version]
        changed = list(pool.map(lambda n: store.put_if("one", b"changed by %d" % n, first), range(8)))
    assert sum(version is not None for version in changed) == 1
    assert store.put_if("one", b"later", first) is None


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", ["busy", "silent", "lost"])
def test_a_put_on_condition_survives_what_fails_once(volume: Volume, fault: str) -> None:
    """It is neither lost nor taken for another one's, though a retry meets its own content."""
    volume.proxy.faults.append(Fault(fault, "PUT", times=1, seconds=1.5))
    store = Store(volume.address)
    version = store.put_if("one", b"mine", None)
    assert version is not None
    assert version.is_same(store.version("one"))
    volume.proxy.faults.append(Fault(fault, "PUT", times=1, seconds=1.5))
    assert store.put_if("one", b"mine too", version) is not None
    assert [fault.times for fault in volume.proxy.faults] == [0, 0]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", ["busy", "silent", "lost"])
def test_a_file_is_put_though_a_request_fails(volume: Volume, tmp_path: Path, fault: str) -> None:
    """Also where no answer comes, after which obstore does not ask again."""
    (tmp_path / "file").write_bytes(b"content")
    volume.proxy.faults.append(Fault(fault, "PUT", times=1, seconds=1.5))
    Store(volume.address).put_file("a", tmp_path / "file")
    found = Store(volume.address).get("a")
    assert found is not None
    assert found.payload == b"content"
    assert volume.proxy.count("PUT") >= 2


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", ["busy", "silent", "cut", "lost"])
def test_a_read_survives_what_fails_once(volume: Volume, tmp_path: Path, fault: str) -> None:
    """503, silence, half of a body and a lost answer: the second request brings the whole."""
    (tmp_path / "file").write_bytes(bytes(range(256)) * 999)
    store = Store(volume.address)
    store.put_file("a", tmp_path / "file")
    volume.proxy.faults.append(Fault(fault, "GET", times=1, seconds=1.5))
    found = store.get("a")
    assert found is not None
    assert found.payload == (tmp_path / "file").read_bytes()
    assert volume.proxy.count("GET") >= 2


@pytest.mark.usefixtures("quick")
def test_a_slow_body_is_waited_for(volume: Volume, tmp_path: Path) -> None:
    """The timeout is one of silence: a body that takes longer, but comes, is no failure."""
    (tmp_path / "file").write_bytes(bytes(4000))
    store = Store(volume.address)
    store.put_file("a", tmp_path / "file")
    volume.proxy.faults.append(Fault("slow", "GET", times=1, seconds=2.0))
    found = store.get("a")
    assert found is not None
    assert len(found.payload) == 4000
    assert volume.proxy.count("GET") == 1


@pytest.mark.parametrize(
    ("fault", "timeout_s", "said"),
    [("busy", QUICK_S, "answers 503 (SlowDown)"), ("silent", NEVER_S, "does not answer")],
)
def test_a_store_that_goes_on_failing_may_be_tried_again(
    volume: Volume, fault: str, timeout_s: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has exit code 1, says what came and what to do."""
    monkeypatch.setenv("HALFREAL_STORE_TIMEOUT_S", timeout_s)
    volume.proxy.faults.append(Fault(fault, times=99, seconds=0.5))
    with pytest.raises(HalfrealError) as caught:
        Store(volume.address).get("a")
    assert caught.value.exit_code == 1
    assert said in str(caught.value)
    assert "run the same command again" in str(caught.value)


def test_no_network_may_be_tried_again(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens: exit code 1."""
    monkeypatch.setenv("HALFREAL_STORE_TIMEOUT_S", NEVER_S)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for ask in (Store(volume.address).listed, Store(volume.address).get):
        with pytest.raises(HalfrealError, match="does not answer") as caught:
            ask("a")
        assert caught.value.exit_code == 1


def test_a_missing_bucket_is_bad_input(volume: Volume, tmp_path: Path) -> None:
    """Reading, listing and writing say so, with exit code 2."""
    store = Store(Address("s3", "no-such-bucket", "here"))
    (tmp_path / "file").touch()
    for ask in (
        lambda: store.get("a"),
        lambda: store.listed("a"),
        lambda: store.put_file("a", tmp_path / "file"),
        lambda: store.put_if("a", b"", None),
    ):
        with pytest.raises(BadInput, match="s3://no-such-bucket: no such bucket"):
            ask()


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_bad_input(volume: Volume, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The error says that it is they, with exit code 2, and shows none of them."""
    monkeypatch.setenv(name, "something-else-99")
    store = Store(volume.address)
    for ask in (store.get, store.listed, store.version):
        with pytest.raises(BadInput, match="refuses these credentials") as caught:
            ask("a")
        assert "something-else-99" not in str(caught.value)


def test_missing_credentials_are_bad_input(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of a metadata service that is not there."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(BadInput, match="no credentials in the environment; set AWS_ACCESS_KEY_ID"):
        Store(volume.address)
    assert volume.proxy.seen == []


def test_an_address_is_read() -> None:
    """Its parts, with and without a prefix; it is written as it is read."""
    assert parse("s3://photos/a/b/", "--data-root") == Address("s3", "photos", "a/b")
    for text in ("s3://photos", "gs://photos/a", "az://photos/a/b"):
        assert str(parse(text, "--data-root")) == text


@pytest.mark.parametrize("text", ["http://host/x", "s3://", "s3://UPPER/x", "s3://photos/../x", "s3://photos/.files"])
def test_other_addresses_are_refused(text: str) -> None:
    """The error names the option."""
    with pytest.raises(BadConfig, match=f"--data-root {text}"):
        parse(text, "--data-root")

"""Who makes an artifact of a volume in a store has its lease: one machine at a time, until it is away for too long."""

import json
import time

import pytest

import shared.store.remote.lease as leases
from shared.errors import Busy, Lost
from shared.objects.client import Store
from shared.store.artifacts import open_artifact
from shared.store.remote.lease import LEASE, leased
from shared.store.remote.mirror import mirror_of
from shared.store.remote.pull import pull
from shared.store.staging import stage
from tests.objects.conftest import Volume
from tests.objects.proxy import Fault
from tests.objects.test_commit import NEW, OLD, PLACE, make

SOON_S = 1.5


def test_another_machine_is_kept_off(volume: Volume) -> None:
    """It ends with Busy, which says who; once that one has committed, it is to look again, and finds it there."""
    mine, other = volume.machine("a"), volume.machine("b")
    with stage(mine / PLACE, NEW, resumable=True) as work:
        (work.folder / "one").touch()
        with pytest.raises(Busy, match=r"another process is making it: .*pid \d+ on host") as caught:
            make(other)
        assert caught.value.exit_code == 75
        work.commit()
    later = stage(other / PLACE, NEW, resumable=True)
    with pytest.raises(Busy, match="another machine has finished it meanwhile"), later:
        pytest.fail("the work has begun")
    pull(other / "digits")
    assert open_artifact(other / PLACE, "model", "train").manifest.options == {"epochs": 2}
    make(other, OLD)


def test_a_lease_is_renewed_while_the_work_goes_on(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the store fails for a moment."""
    monkeypatch.setattr(leases, "SECONDS", SOON_S)
    mine, other = volume.machine("a"), volume.machine("b")
    with stage(mine / PLACE, NEW, resumable=True) as work:
        volume.proxy.faults.append(Fault("busy", "PUT", LEASE, times=2))
        (work.folder / "one").touch()
        time.sleep(2 * SOON_S)
        with pytest.raises(Busy, match="another process is making it"):
            make(other)
        work.commit()


def test_a_lease_that_ran_out_is_taken(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that was away finds out before it commits, and ends with Lost; the other one commits."""
    monkeypatch.setattr(leases, "SECONDS", SOON_S)
    mine, other = volume.machine("a"), volume.machine("b")
    with monkeypatch.context() as away:
        away.setattr(leases, "_renew", lambda *words: None)
        with stage(mine / PLACE, NEW, resumable=True) as work:
            (work.folder / "one").touch()
            with pytest.raises(Busy):
                make(other, OLD)
            time.sleep(SOON_S)
            with stage(other / PLACE, OLD, resumable=True) as later:
                (later.folder / "two").touch()
                with pytest.raises(Lost, match="taken over by") as caught:
                    work.commit()
                assert caught.value.exit_code == 75
                assert f"{PLACE}/manifest.json" not in volume.stored()
                later.commit()
    assert pull(mine / "digits") == [PLACE]
    assert open_artifact(mine / PLACE, "model", "train").manifest.options == {"epochs": 1}


def test_the_lease_of_a_process_of_this_machine_that_is_gone_is_taken_at_once(volume: Volume) -> None:
    """Its lock is free, so that it cannot be at work."""
    mine = volume.machine("a")
    mirror = mirror_of(mine)
    assert mirror is not None
    left = leases.Lease("token", mirror.name, "somebody", time.time() + 999)
    Store(volume.address).put_if(f"{PLACE}/{LEASE}", left.to_bytes(), None)
    make(mine)
    with pytest.raises(Busy, match="another machine has finished"):
        make(volume.machine("b"))


def test_who_waits_gets_what_the_other_one_has_made(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """As processes on one machine do that have the same artifact to make."""
    monkeypatch.setattr(leases, "POLL_S", 0.2)
    mine, other = volume.machine("a"), volume.machine("b")
    make(mine)
    other.joinpath("digits").mkdir()
    with leased(other / PLACE, wait=True):
        assert open_artifact(other / PLACE, "model", "train").read("snapshots/one") == b"weights"


def test_a_lease_is_given_back(volume: Volume) -> None:
    """Its object says so; it stays, since only a put can be on condition."""
    make(volume.machine("a"))
    found = Store(volume.address).get(f"{PLACE}/{LEASE}")
    assert found is not None
    assert json.loads(found.payload)["until"] == 0

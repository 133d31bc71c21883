"""A cluster that keeps itself running: what is killed comes back, told of, counted and bounded."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster import __main__ as command
from cluster import (
    children,
    lifecycle,
    logs,
    paths,
    plan,
    ports,
    processes,
    readiness,
    status,
    supervisor,
)
from cluster.processes import Seen, State
from cluster.status import ClusterStatus
from cluster.supervisor import Care
from lab.observe import find

PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[plan.Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    yield lifecycle.up(folder, only=["merchants"], supervised=True)
    lifecycle.clean(folder)
    assert list(children.marked(folder)) == []


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)


def state(cluster: plan.Cluster, name: str) -> State:
    return next(one.state for one in processes.look(cluster) if one.name == name)


def pid(cluster: plan.Cluster, name: str) -> int:
    found = children.find(cluster.folder, name)
    return 0 if found is None else found.pid


def merchants_row(cluster: plan.Cluster) -> dict[str, Any]:
    rows = status.as_json(status.find(cluster))["processes"]
    return next(one for one in rows if one["name"] == "merchants")


@pytest.mark.timeout(900)
def test_what_is_killed_comes_back_and_its_end_is_told_and_counted(cluster: plan.Cluster) -> None:
    """Newcomer: a killed process stayed dead, and no line of any log said so."""
    for name in ("merchants", "postgres", "kafka"):
        before = pid(cluster, name)
        children.kill(processes.running(cluster, name))
        until(lambda n=name, b=before: pid(cluster, n) not in (0, b))
        care = supervisor.cares(cluster.folder)[name]
        assert care.restarts >= 1
        if name == "merchants":
            assert care.how == "killed by SIGKILL"
        until(lambda: state(cluster, "merchants") is State.READY)
    told = [json.loads(line) for _, line in logs.search(cluster.folder, "ALARM")]
    first = next(line for line in told if line["process"] == "merchants")
    assert "killed by SIGKILL" in first["message"]
    # One look may fall before merchants has noticed that its broker went, the next right after.
    until(lambda: merchants_row(cluster)["state"] == "ready")
    assert status.as_json(status.find(cluster))["supervised"] is True
    assert merchants_row(cluster)["restarts"] >= 1


def test_a_second_up_changes_nothing_and_a_dead_supervisor_is_told_of(
    cluster: plan.Cluster,
) -> None:
    before = (pid(cluster, supervisor.NAME), pid(cluster, "merchants"))
    lifecycle.up(cluster.folder, only=["merchants"], supervised=True)
    assert (pid(cluster, supervisor.NAME), pid(cluster, "merchants")) == before
    os.kill(before[0], signal.SIGKILL)
    until(lambda: pid(cluster, supervisor.NAME) == 0)
    assert any(
        "nothing comes back by itself" in said for said in status.advice(status.find(cluster))
    )
    lifecycle.up(cluster.folder, only=["merchants"], supervised=True)
    assert pid(cluster, supervisor.NAME) not in (0, before[0])
    assert pid(cluster, "merchants") == before[1]


def test_programs_of_another_version_are_replaced_and_never_migrated_under(
    cluster: plan.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newcomer 25: new schema, old code, nobody told."""
    before = pid(cluster, "merchants")
    record = cluster.folder / "run" / "merchants.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"version": "older"}))
    running: list[bool] = []
    migrate = lifecycle.migrate_rooms
    monkeypatch.setattr(
        lifecycle,
        "migrate_rooms",
        lambda *given: (running.append(pid(cluster, "merchants") != 0), migrate(*given))[1],
    )
    lifecycle.up(cluster.folder, only=["merchants"], supervised=True)
    assert running == [False]
    assert pid(cluster, "merchants") not in (0, before)


async def test_a_schema_newer_than_the_code_is_refused_and_all_stays_as_it_was(
    cluster: plan.Cluster,
) -> None:
    from cluster import connections

    before = pid(cluster, "merchants")
    owner = await connections.connect(cluster.servers.dsn("merchants", "merchants_owner"))
    try:
        await owner.execute(
            "insert into migrations (number, name, checksum) values (999, '0999_later.sql', 'x')"
        )
        with pytest.raises(readiness.NotReady, match=r"newer than this program.*0999_later\.sql"):
            lifecycle.up(cluster.folder, only=["merchants"], supervised=True)
    finally:
        await owner.execute("delete from migrations where number = 999")
        await owner.close()
    assert pid(cluster, "merchants") == before


def test_the_public_port_never_moves_and_inner_ones_say_so(tmp_path: Path) -> None:
    """Newcomer 24: tills kept calling an address that had moved without a word."""
    known = ports.choose(tmp_path, ["gateway", "notify"])
    said: list[str] = []

    def step(text: str):
        said.append(text)
        return lifecycle._silent(text)

    with socket.socket() as gateway, socket.socket() as notify:
        for taken, name in ((gateway, "gateway"), (notify, "notify")):
            taken.bind(("127.0.0.1", known[name]))
            taken.listen()
        with pytest.raises(readiness.NotReady, match=rf"{known['gateway']}.*pid {os.getpid()}"):
            lifecycle._move_ports(tmp_path, ["gateway"], step)
        lifecycle._move_ports(tmp_path, ["notify"], step)
    assert ports.remembered(tmp_path)["gateway"] == known["gateway"]
    assert ports.remembered(tmp_path)["notify"] != known["notify"]
    assert [f"notify moves from {known['notify']}" in line for line in said] == [True]


def test_waits_grow_up_to_a_bound() -> None:
    assert [supervisor.wait_s(n) for n in (1, 2, 3, 5, 6, 500)] == [1, 2, 4, 16, 30, 30]


def test_logs_are_bounded_while_they_are_written_and_searched_whole(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "fraud.log"
    with path.open("ab") as writing:
        for number in range(8):
            writing.write(f"line {number} {'x' * 60}\n".encode())
            writing.flush()
            logs.bound(tmp_path, bytes_max=100)
    sizes = [file.stat().st_size for file in (tmp_path / "logs").iterdir()]
    assert len(sizes) == 1 + logs.OLDER
    assert max(sizes) <= 200
    found = [line.split()[1] for _, line in logs.search(tmp_path, "line")]
    assert found == sorted(found)
    assert len(found) >= 4


def _found(states: Mapping[str, State], *, supervised: bool = True) -> ClusterStatus:
    seen = [Seen(name, one, 1, 7, None) for name, one in states.items()]
    return ClusterStatus(seen, {}, supervised=supervised, expected=True, lags=[], rates=[])


def test_status_says_what_to_do_and_only_a_whole_cluster_is_well() -> None:
    """Newcomer 18: a stopped cluster was well."""
    whole: dict[str, State] = dict.fromkeys((*plan.SERVERS, *plan.PROGRAMS), State.READY)
    assert _found(whole).well
    assert status.advice(_found(whole)) == []
    assert not _found(whole, supervised=False).well
    stopped = _found(dict.fromkeys(whole, State.STOPPED))
    assert (stopped.well, status.advice(stopped)) == (False, ["the cluster is stopped: make up"])
    for one in (State.DEAD, State.NOT_READY, State.PAUSED, State.STOPPED):
        found = _found(whole | {"fraud": one})
        assert not found.well
        assert "fraud" in status.advice(found)[0]


def test_status_of_a_stopped_cluster_is_one_line_of_json_and_exits_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.lay_out(tmp_path, sandbox=False)
    assert command.main(["--folder", str(tmp_path), "status", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["well"], told["advice"]) == (False, ["the cluster is stopped: make up"])
    assert {one["state"] for one in told["processes"]} == {"stopped"}


def test_a_tills_name_is_looked_for_in_every_shard_and_an_id_in_its_own() -> None:
    assert find.ids("3003.1.2", 2) == ["0.t.3003.1.2", "1.t.3003.1.2"]
    assert find.ids("4.t.3003.1.2", 2) == ["4.t.3003.1.2"]
    assert find.ids("5.o.12.1404%2F77.purchase", 2) == ["5.o.12.1404%2F77.purchase"]


def test_a_care_is_kept_between_supervisors(tmp_path: Path) -> None:
    assert supervisor.cares(tmp_path) == {}
    care = Care(restarts=3, in_a_row=2, how="exit status 1", ended_at="2026-01-01T00:00:00+00:00")
    (tmp_path / "restarts.json").write_text(json.dumps({"fraud": {"restarts": 3, "in_a_row": 2,
        "how": "exit status 1", "ended_at": "2026-01-01T00:00:00+00:00"}}))  # fmt: skip
    assert supervisor.cares(tmp_path) == {"fraud": care}


def test_what_breaks_a_look_does_not_end_the_looking(tmp_path: Path) -> None:
    """A disk that filled ended the supervisor in silence: nothing came back any more."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "odd.log").symlink_to("gone")  # its size cannot be asked
    (tmp_path / "cluster.lock").mkdir()  # nor can this be locked
    command = [*supervisor.COMMAND, "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=paths.PROJECT) as looking:
        assert looking.stdout is not None
        told = [json.loads(looking.stdout.readline() or "{}") for _ in range(5)]
        looking.terminate()
        looking.communicate()  # its last word needs somebody who listens
    assert ["broke" in line.get("message", "") for line in told] == [False, True, True, True, True]
    assert looking.returncode == 0

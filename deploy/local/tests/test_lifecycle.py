"""A cluster up, down, twice, side by side, interrupted, and what it is told."""

import asyncio
import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest

from cluster import __main__ as command
from cluster import (
    children,
    connections,
    credentials,
    kafka_server,
    lifecycle,
    paths,
    plan,
    ports,
    processes,
    readiness,
    sandbox_clock,
    status,
)
from cluster.processes import State
from gateway.access import domain as keys
from kit.base import auth, clock, settings
from kit.stream import kafka
from kit.stream.sandbox_clock import SandboxClock


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with one program, which is enough to see it move."""
    folder = tmp_path_factory.mktemp("cluster")
    yield lifecycle.up(folder, only=["merchants"])
    lifecycle.clean(folder)


def pids(cluster: plan.Cluster) -> dict[str, int]:
    return {one.name: one.pid for one in processes.look(cluster) if one.pid is not None}


def test_up_is_ready_and_a_second_up_changes_nothing(cluster):
    before = pids(cluster)
    assert set(before) == {"kafka", "postgres", "merchants"}
    again = lifecycle.up(cluster.folder, only=["merchants"])
    assert pids(again) == before
    states = {one.name: one.state for one in processes.look(again) if one.name in before}
    assert set(states.values()) == {State.READY}


def test_killed_program_is_seen_as_dead_and_started_again_by_up(cluster):
    processes.kill(cluster, "merchants")
    assert one_of(cluster, "merchants").state is State.DEAD
    kafka = pids(cluster)["kafka"]
    lifecycle.up(cluster.folder, only=["merchants"])
    assert one_of(cluster, "merchants").state is State.READY
    assert pids(cluster)["kafka"] == kafka


def test_paused_program_is_seen_as_paused_and_restarts(cluster):
    processes.pause(cluster, "merchants")
    assert one_of(cluster, "merchants").state is State.PAUSED
    processes.resume(cluster, "merchants")
    processes.wait_ready(cluster, ["merchants"])
    before = pids(cluster)["merchants"]
    processes.restart(cluster, "merchants")
    assert pids(cluster)["merchants"] != before


def ask_for_a_while(cluster):
    """Some questions of the gateway's, from before the first look at the counters to after both."""
    secret = auth.room_secret(cluster.credentials.actor_secret, "merchants")
    call = auth.Call("merchants", "GET", "/v1/terms")
    actor = auth.Actor("tester", frozenset({"money"}))
    for _ in range(30):
        signed = auth.sign(actor, secret, call, clock.wall())
        httpx.get(cluster.url("merchants") + call.path, headers={auth.HEADER: signed})
        time.sleep(status.SAMPLE_S / 15)


def test_status_shows_rates_and_lags(cluster):
    asking = threading.Thread(target=ask_for_a_while, args=(cluster,))
    asking.start()
    rates = {rate.name: rate for rate in status.rates(cluster, ["merchants"])}
    asking.join()
    assert rates["merchants"].requests_per_s > 0
    assert all(lag.records >= 0 for lag in status.lags(cluster))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_up_ends_what_it_started(tmp_path, sign):
    command = subprocess.Popen(up_command(tmp_path, "merchants"), **quiet())
    wait_for_broker(tmp_path)
    command.send_signal(sign)
    assert command.wait(60) != 0
    assert list(children.marked(tmp_path)) == []
    lifecycle.clean(tmp_path)


def test_what_a_killed_up_leaves_is_ended_by_down(tmp_path):
    command = subprocess.Popen(up_command(tmp_path, "merchants"), **quiet())
    wait_for_broker(tmp_path)
    command.kill()
    command.wait()
    assert list(children.marked(tmp_path)) != []
    assert "kafka" in lifecycle.down(tmp_path)
    assert list(children.marked(tmp_path)) == []
    lifecycle.clean(tmp_path)
    assert not tmp_path.exists()


def test_interrupted_up_leaves_alone_what_ran_before(cluster):
    before = pids(cluster)
    command = up_command(cluster.folder, "merchants", "gateway")
    broken = {"PEYVAND_LOG_LEVEL": "no such level"}  # the gateway cannot start with it
    done = subprocess.run(command, env=os.environ | broken, check=False, **quiet())
    assert done.returncode == 1
    assert pids(cluster) == before


FIRST = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox(cluster, tmp_path_factory):
    """A second cluster beside the first, which went on meanwhile; its time is its driver's."""
    folder, before = tmp_path_factory.mktemp("sandbox"), pids(cluster)
    yield lifecycle.up(folder, sandbox=True, starts_at=FIRST, only=["merchants"])
    lifecycle.down(folder)
    lifecycle.clean(folder)
    assert pids(cluster) == before


def test_a_cluster_beside_it_shares_nothing_with_it(cluster, sandbox):
    mine, theirs = ports.remembered(cluster.folder), ports.remembered(sandbox.folder)
    assert not set(mine.values()) & set(theirs.values())
    assert not set(pids(sandbox).values()) & set(pids(cluster).values())
    assert cluster.credentials.actor_secret != sandbox.credentials.actor_secret


def test_a_sandbox_starts_at_its_drivers_time_and_keeps_it(sandbox):
    assert sandbox.sandbox
    assert readiness.run(read_clock(sandbox)) == FIRST
    later = FIRST + timedelta(days=1)
    readiness.run(advance(sandbox, later))
    lifecycle.up(sandbox.folder, only=["merchants"])
    assert readiness.run(read_clock(sandbox)) == later


async def advance(cluster: plan.Cluster, now: datetime) -> None:
    producer = await kafka.Producer.open(cluster.servers.bootstrap, client_id="driver")
    try:
        await sandbox_clock.advance(producer, now)
    finally:
        await producer.close()


async def read_clock(cluster: plan.Cluster) -> datetime:
    """What a process of the cluster takes for now."""
    followed = SandboxClock()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        following = group.create_task(followed.run(cluster.servers.bootstrap))
        for _ in range(500):
            if followed.ready:
                break
            await asyncio.sleep(0.02)
        following.cancel()
    return followed.now()


def test_an_ordinary_cluster_is_not_turned_into_a_sandbox(cluster):
    with pytest.raises(ValueError, match="ordinary cluster"):
        plan.lay_out(cluster.folder, sandbox=True)


def test_every_program_is_told_what_a_room_must_know(tmp_path):
    told = plan.lay_out(tmp_path, sandbox=True)
    for name in plan.WITH_DATABASE:
        room = settings.load(settings.ServiceSettings, plan.environment(told, name), room=name)
        assert room.http_port == told.ports[name]
        assert room.kafka_bootstrap == told.servers.bootstrap
        assert room.database_dsn.endswith(f"/{name}")
        assert room.sandbox
    assert plan.environment(told, "gateway").get("PEYVAND_DATABASE_DSN") is None


def test_secrets_are_remembered_readable_by_their_owner_only_and_of_the_right_size(tmp_path):
    first, second = plan.cluster_of(tmp_path), plan.cluster_of(tmp_path)
    assert first.credentials == second.credentials
    assert first.servers.dsn("ledger", "ledger") == second.servers.dsn("ledger", "ledger")
    assert (tmp_path / "credentials.json").stat().st_mode & 0o077 == 0
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    kept = first.credentials
    roots = (kept.identifier_keys, kept.contact_keys, kept.member_keys, kept.identity_keys)
    for root in roots:
        assert len(base64.b64decode(root)) == 32
    for entry in first.credentials.operator_list().split(","):
        name, roles, digest = entry.split(":")
        secret = first.credentials.operator_key(name).removeprefix(f"pvo_{name}_")
        assert roles == "+".join(credentials.OPERATORS[name].roles)
        assert digest == hashlib.sha256(secret.encode()).hexdigest()


def test_an_operator_of_a_newer_version_gets_a_key_beside_those_that_were_given_out(tmp_path):
    first = credentials.credentials(tmp_path)
    path = tmp_path / "credentials.json"
    kept = json.loads(path.read_text())
    del kept["operators"]["treasurer"]
    path.write_text(json.dumps(kept))
    second = credentials.credentials(tmp_path)
    assert second.operator_key("operator") == first.operator_key("operator")
    assert second.operator_key("treasurer") != first.operator_key("treasurer")
    assert credentials.credentials(tmp_path) == second


def test_the_file_of_credentials_holds_whole_keys_and_what_each_may_do(tmp_path):
    told = plan.lay_out(tmp_path, sandbox=True)
    kept = json.loads((tmp_path / "credentials.json").read_text())["operators"]
    known = keys.parse_operators(told.credentials.operator_list().split(","))
    for name, operator in credentials.OPERATORS.items():
        caller = known.find(kept[name]["key"])
        assert caller is not None
        assert caller.roles == set(operator.roles)
        assert kept[name]["may"] == operator.may
    auditor = known.find(kept["auditor"]["key"])
    assert auditor is not None
    assert auditor.roles == {"auditor"}


def test_each_program_is_told_its_own_secrets_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setenv("PEYVAND_OWNER_DSN", "postgres://owner")
    monkeypatch.setenv("PEYVAND_ACTOR_SECRET", "left in the environment")
    told = plan.lay_out(tmp_path, sandbox=True)
    all_told = {name: plan.environment(told, name) for name in plan.PROGRAMS}
    master = told.credentials.actor_secret
    assert all_told["gateway"]["PEYVAND_ACTOR_SECRET"] == master
    for room in plan.WITH_DATABASE:
        assert all_told[room]["PEYVAND_ACTOR_SECRET"] == auth.room_secret(master, room)
        assert master not in all_told[room].values()
    assert not [name for name, env in all_told.items() if "PEYVAND_OWNER_DSN" in env]
    simulator = {key for key in all_told["sms-simulator"] if key.startswith("PEYVAND_")}
    assert not [key for key in simulator if "ACTOR" in key or "KAFKA" in key or "DSN" in key]
    for setting, room in (("MEMBER_KEYS", "members"), ("IDENTITY_KEYS", "identity")):
        assert [name for name, env in all_told.items() if f"PEYVAND_{setting}" in env] == [room]


def test_a_cluster_of_before_people_signed_in_gets_a_key_for_it_and_keeps_the_others(tmp_path):
    first = credentials.credentials(tmp_path)
    path = tmp_path / "credentials.json"
    kept = json.loads(path.read_text())
    del kept["identity_keys"]
    path.write_text(json.dumps(kept))
    upgraded = credentials.credentials(tmp_path)
    assert credentials.credentials(tmp_path) == upgraded
    assert len(base64.b64decode(upgraded.identity_keys)) == 32
    assert upgraded.identifier_keys == first.identifier_keys
    assert upgraded.operators == first.operators


def test_the_ledger_is_told_where_checkpoints_go_and_the_key_that_signs_them(tmp_path):
    told = plan.lay_out(tmp_path, sandbox=True)
    first = plan.environment(told, "ledger")
    assert plan.environment(told, "ledger") == first
    key = Path(first["PEYVAND_CHECKPOINT_KEY_FILE"])
    assert key.stat().st_mode & 0o077 == 0
    assert key.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert Path(first["PEYVAND_CHECKPOINT_FOLDER"]) == tmp_path / "checkpoints"
    other = plan.environment(plan.lay_out(tmp_path / "other", sandbox=True), "ledger")
    assert Path(other["PEYVAND_CHECKPOINT_KEY_FILE"]).read_bytes() != key.read_bytes()
    assert "PEYVAND_CHECKPOINT_KEY_FILE" not in plan.environment(told, "notify")


async def test_a_migration_edited_after_it_ran_is_named(cluster):
    owner = await connections.connect(cluster.servers.dsn("merchants", "merchants_owner"))
    try:
        await owner.execute("update migrations set checksum = 'x' || checksum where number = 1")
        with pytest.raises(readiness.NotReady, match="merchants could not be migrated: 0001"):
            lifecycle.migrate_rooms(cluster, ["merchants"])
        await owner.execute("update migrations set checksum = substr(checksum, 2) where number = 1")
    finally:
        await owner.close()
    assert lifecycle.migrate_rooms(cluster, ["merchants"]) == {"merchants": 0}


def test_a_broker_of_a_cluster_refuses_a_second_one(cluster):
    before = pids(cluster)["kafka"]
    with pytest.raises(Exception, match="locked"):
        kafka_server.launch(cluster.folder)
    assert pids(cluster)["kafka"] == before


def one_of(cluster: plan.Cluster, name: str) -> processes.Seen:
    return next(one for one in processes.look(cluster) if one.name == name)


def quiet() -> dict:
    return {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": paths.PROJECT,
    }


def wait_for_broker(folder: Path) -> None:
    deadline = time.monotonic() + 120  # of a machine that others keep busy
    while kafka_server.find(folder) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def up_command(folder: Path, *programs: str) -> list[str]:
    start = [sys.executable, "-m", "cluster", "--folder", str(folder), "up"]
    return [*start, "--only", *programs]


def test_clean_of_one_folder_leaves_the_projects_other_clusters_alone(tmp_path):
    mine, theirs = tmp_path / "mine", paths.PROJECT / "var" / f"test-clean-{os.getpid()}"
    for folder in (mine, theirs):
        folder.mkdir(parents=True)
        (folder / "ports.json").write_text("{}")
    running = {folder: sleeper(folder) for folder in (mine, theirs)}
    try:
        assert command.main(["--folder", str(mine), "clean"]) == 0
        assert not mine.exists()
        assert not running[mine].is_running()
        assert (theirs / "ports.json").exists()
        assert running[theirs].is_running()
    finally:
        lifecycle.clean(theirs)
    assert not theirs.exists()
    assert not running[theirs].is_running()


def sleeper(folder: Path) -> psutil.Process:
    """A process that belongs to a folder."""
    return children.launch(
        children.Launch(
            folder=folder,
            name="sleeper",
            command=(sys.executable, "-c", "import time; time.sleep(60)"),
            environment={},
            log=folder / "sleeper.log",
        )
    )

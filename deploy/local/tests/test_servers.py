"""The two servers of a folder: ready, remembered, locked, broken and started again."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from cluster import (
    children,
    connections,
    fetch,
    kafka_server,
    lockfile,
    ports,
    postgres_server,
    readiness,
    servers,
)

STARTS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from cluster import kafka_server, postgres_server
postgres_server.launch(Path(sys.argv[1]))
kafka_server.launch(Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Servers of our own, as these tests break them."""
    folder = tmp_path_factory.mktemp("pair")
    started = servers.start_servers(folder)
    yield started
    started.stop()
    postgres_server.remove(folder)


async def produce(bootstrap: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(connections.READY_TOPIC, value, partition=0)
    finally:
        await producer.stop()


async def consume_until(bootstrap: str, value: bytes) -> None:
    consumer = AIOKafkaConsumer(
        connections.READY_TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async for record in consumer:
            if record.value == value:
                return
    finally:
        await consumer.stop()


async def ask(dsn: str, query: str) -> object:
    connection = await connections.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def test_fetched_servers_are_not_fetched_again():
    fetch.fetch()
    before = time.monotonic()
    fetch.fetch()
    assert time.monotonic() - before < 0.5


async def test_ready_means_a_record_goes_through_and_a_query_is_answered(pair):
    await produce(pair.bootstrap, b"ready")
    async with asyncio.timeout(10):
        await consume_until(pair.bootstrap, b"ready")
    version = await ask(postgres_server.superuser_dsn(pair.postgres), "show server_version")
    assert str(version).startswith("18.")


def test_starting_twice_changes_nothing(pair):
    before = (kafka_server.find(pair.folder), postgres_server.find(pair.folder))
    again = servers.start_servers(pair.folder)
    assert again == pair
    assert (kafka_server.find(pair.folder), postgres_server.find(pair.folder)) == before


def test_postgres_runs_as_an_ordinary_user(pair):
    process = postgres_server.find(pair.folder)
    assert process is not None
    assert process.uids().effective != 0


def test_second_broker_on_the_same_folder_is_refused(pair):
    with pytest.raises(lockfile.Locked):
        kafka_server.launch(pair.folder)
    with pytest.raises(lockfile.Locked):
        postgres_server.launch(pair.folder)
    assert readiness.kafka_is_ready(pair.bootstrap, wait_s=10)


async def test_database_has_an_owner_and_a_role_that_cannot_change_its_tables(pair):
    pair.create_databases("ledger")
    pair.create_databases("ledger")  # harmless
    owner = await connections.connect(pair.dsn("ledger", "ledger_owner"))
    await owner.execute("create table if not exists lots (lot int)")
    await owner.execute("grant select, insert on lots to ledger")
    await owner.close()
    room = await connections.connect(pair.dsn("ledger", "ledger"))
    try:
        await room.execute("insert into lots (lot) values (1)")
        for refused in ("update lots set lot = 2", "drop table lots", "create table other (a int)"):
            with pytest.raises(connections.REFUSALS, match=r"permission denied|must be owner"):
                await room.execute(refused)
    finally:
        await room.close()


async def test_a_foreign_role_cannot_enter_a_database(pair):
    pair.create_databases("ledger")
    pair.create_databases("notify")
    with pytest.raises(connections.REFUSALS, match="permission denied"):
        await connections.connect(pair.dsn("ledger", "notify"))


async def test_money_settings_are_in_force(pair):
    dsn = postgres_server.superuser_dsn(pair.postgres)
    assert await ask(dsn, "show fsync") == "on"
    assert await ask(dsn, "show synchronous_commit") == "on"
    assert await ask(dsn, "show idle_in_transaction_session_timeout") == "3s"
    assert await ask(dsn, "show listen_addresses") == "127.0.0.1"


async def test_killed_broker_comes_back_on_its_port_with_its_records(pair):
    await produce(pair.bootstrap, b"before the kill")
    await asyncio.to_thread(pair.kill_kafka)
    assert kafka_server.find(pair.folder) is None
    await asyncio.to_thread(pair.start_kafka)
    assert kafka_server.node(pair.folder).bootstrap == pair.bootstrap
    async with asyncio.timeout(10):
        await consume_until(pair.bootstrap, b"before the kill")


async def test_killed_postgres_leaves_no_child_and_comes_back_with_its_rows(pair):
    dsn = postgres_server.superuser_dsn(pair.postgres)
    await ask(dsn, "create table if not exists kept as select 7 as seven")
    process = postgres_server.find(pair.folder)
    assert process is not None
    family = [process, *process.children(recursive=True)]
    await asyncio.to_thread(pair.kill_postgres)
    assert not any(children.alive(member) for member in family)
    await asyncio.to_thread(pair.start_postgres)
    assert await ask(dsn, "select seven from kept") == 7


async def test_paused_postgres_hangs_and_resumes(pair):
    dsn = postgres_server.superuser_dsn(pair.postgres)
    await asyncio.to_thread(pair.pause_postgres)
    try:
        assert not await asyncio.to_thread(readiness.postgres_is_ready, dsn, wait_s=0.5)
    finally:
        await asyncio.to_thread(pair.resume_postgres)
    assert await ask(dsn, "select 1") == 1


def test_ports_and_passwords_are_remembered(pair):
    before = ports.remembered(pair.folder)
    pair.stop()
    again = servers.start_servers(pair.folder)
    assert ports.remembered(pair.folder) == before
    assert again.dsn("postgres", "postgres") == pair.dsn("postgres", "postgres")


def test_two_folders_do_not_collide(pair, tmp_path):
    other = servers.start_servers(tmp_path)
    try:
        mine, theirs = ports.remembered(pair.folder), ports.remembered(tmp_path)
        assert not set(mine.values()) & set(theirs.values())
        assert readiness.kafka_is_ready(pair.bootstrap, wait_s=10)
        assert readiness.kafka_is_ready(other.bootstrap, wait_s=10)
    finally:
        other.stop()
        postgres_server.remove(tmp_path)
    assert kafka_server.find(pair.folder) is not None


def test_a_start_that_was_killed_leaves_nothing_once_ended(tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", STARTS_AND_IS_KILLED, str(tmp_path)], check=False
    )
    assert killed.returncode < 0
    left = [process for process, _ in children.marked(tmp_path)]
    assert {name for _, name in children.marked(tmp_path)} == {"kafka", "postgres"}
    children.end_all(tmp_path)
    assert not any(children.alive(process) for process in left)
    assert list(children.marked(tmp_path)) == []
    postgres_server.remove(tmp_path)


def test_a_process_that_nobody_wrote_down_is_found_by_its_mark(tmp_path):
    launched = children.launch(sleeper(tmp_path))
    (tmp_path / "run" / "sleeper.json").unlink()
    try:
        assert children.find(tmp_path, "sleeper") == launched
    finally:
        children.kill(launched)


def test_a_pid_that_now_belongs_to_somebody_else_is_left_alone(tmp_path):
    stranger = psutil.Process(os.getpid())
    note = tmp_path / "run" / "sleeper.json"
    note.parent.mkdir()
    note.write_text(json.dumps({"pid": stranger.pid, "started_at_s": stranger.create_time()}))
    assert children.find(tmp_path, "sleeper") is None


def test_a_process_that_ignores_the_request_to_end_is_killed(tmp_path):
    stubborn = children.launch(sleeper(tmp_path, "trap '' TERM; while :; do sleep 1; done"))
    time.sleep(0.3)  # until the shell has set its trap
    assert not children.stop(stubborn, sign=signal.SIGTERM, wait_s=0.5)
    assert not children.alive(stubborn)


def test_a_taken_port_is_replaced_and_the_others_stay(tmp_path):
    before = ports.choose(tmp_path, ("one", "two"))
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", before["one"]))
        somebody.listen()
        after = ports.renew(tmp_path, ("one", "two"))
    assert after["one"] != before["one"]
    assert after["two"] == before["two"]
    assert ports.remembered(tmp_path) == after


def sleeper(folder: Path, script: str = "sleep 60") -> children.Launch:
    return children.Launch(
        folder=folder,
        name="sleeper",
        command=("sh", "-c", script),
        environment={"PATH": os.environ["PATH"]},
        log=folder / "sleeper.log",
    )

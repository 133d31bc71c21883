"""Checkpoints are published and only grow; every leaf and any two sizes are proved over HTTP.

The auditor's own program checks what the ledger answers.
"""

import random
import struct
from base64 import b64decode
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit.base.db import Database, connect
from ledger.log import clients, jobs
from ledger.log.domain import checkpoints, chunks
from ledger.main import SERVICE
from support import services
from support.callers import Vouched
from verifier import checkpoints as outside
from verifier import leaves, tree

from . import generators, postgres
from .doors import SECRET, Stopped
from .test_moments import told

ORIGIN = "peyvand.test/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
SHARD = 4
CLUB_ACCOUNTS = (2_001_000, 2_001_001, 2_001_002)


class Log:
    """A book of its own with its folder of checkpoints, its publisher and its door."""

    def __init__(self, database, owner, folder, client, stopped):
        self.database = database
        self.owner = owner  # may do what the run role may not
        self.archive = clients.Archive(folder)
        self.publisher = jobs.Publisher(database, stopped, self.archive, KEY, ORIGIN)
        self.client = client
        self.clock = stopped

    async def ask(self, path, status=200, **query):
        signed = Vouched("ledger", SECRET, {"auditor"})
        answer = await self.client.get(path, params=query, auth=signed)
        assert answer.status_code == status, answer.text
        return answer

    async def get(self, path, **query):
        return (await self.ask(path, **query)).json()

    async def post(self, heard, shard=SHARD):
        rng = random.Random(len(heard))
        while heard:
            size = rng.choice((1, 2, 70))
            await postgres.post(self.database, postgres.events(shard, heard[:size]))
            heard = heard[size:]

    def notes(self, shard=SHARD):
        """Everything published, as the auditor reads it."""
        text = (self.archive.folder / f"{shard}.checkpoints").read_text()
        pieces = [f"{ORIGIN}/{shard}\n{rest}" for rest in text.split(f"{ORIGIN}/{shard}\n")[1:]]
        return [outside.read_checkpoint(piece, origin=ORIGIN, key=PUBLIC) for piece in pieces]


@pytest_asyncio.fixture
async def log(fresh_database, owner_dsn, tmp_path):
    dsn = await fresh_database("ledger")
    database = await Database.open(dsn, size=2, command_timeout_s=30)
    owner = await connect(owner_dsn(dsn))
    stopped = Stopped(generators.START)
    folder = tmp_path / "checkpoints"
    app = services.application(
        SERVICE,
        services.opened(
            SERVICE, database, stopped, actor_secret=SECRET, checkpoint_folder=str(folder)
        ),
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
        yield Log(database, owner, folder, client, stopped)
    await owner.close()
    await database.close()


def decoded(texts):
    return [b64decode(text) for text in texts]


async def test_what_grew_is_signed_and_the_auditor_reads_it(log):
    heard, _ = told(31, 90)
    await log.publisher.run()
    assert log.archive.shards() == []  # nothing was booked
    for start, end in ((0, 1), (1, 40), (40, 40), (40, len(heard))):
        await log.post(heard[start:end])
        log.clock.at += timedelta(seconds=10)
        await log.publisher.run()
    await log.post(heard[:3], shard=9)
    await log.publisher.run()
    assert [note.size for note in log.notes()] == [1, 40, len(heard)]
    assert [note.size for note in log.notes(9)] == [3]
    listed = await log.get("/v1/checkpoints")
    assert [(item["shard"], item["size"]) for item in listed["items"]] == [
        (SHARD, len(heard)), (9, 3),
    ]  # fmt: skip
    assert [outside.key_of(line) for line in listed["keys"]] == [
        (f"{ORIGIN}/{shard}", PUBLIC) for shard in (SHARD, 9)
    ]
    page = await log.get("/v1/checkpoints", limit=1)
    assert (page["next"], len(page["items"])) == (SHARD, 1)
    rest = await log.get("/v1/checkpoints", limit=1, after=SHARD)
    assert [item["shard"] for item in rest["items"]] == [9]
    for size in (1, 40, len(heard)):
        answer = await log.ask(f"/v1/checkpoints/{SHARD}", size=size)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert outside.read_checkpoint(answer.text, origin=ORIGIN, key=PUBLIC).size == size
    latest = await log.ask(f"/v1/checkpoints/{SHARD}")
    assert latest.text == listed["items"][0]["checkpoint"]
    await log.ask(f"/v1/checkpoints/{SHARD}", 404, size=2)
    await log.ask("/v1/checkpoints/5", 404)


async def test_every_leaf_is_proved_under_the_latest_checkpoint(log):
    heard, _ = told(32, 360)
    await log.post(heard[:270])
    await log.publisher.run()
    await log.post(heard[270:])
    (note,) = log.notes()
    assert note.size == 270
    for sequence in range(1, len(heard) + 1):
        found = await log.get(f"/v1/proofs/{SHARD}/{sequence}")
        size = 270 if sequence <= 270 else len(heard)
        assert (found["index"], found["size"]) == (sequence - 1, size)
        leaf = b64decode(found["leaf"])
        assert struct.unpack(">B2q", leaf[:17]) == (leaves.VERSION, SHARD, sequence)
        assert tree.hash_of_leaf(leaf) == b64decode(found["leaf_hash"])
        root = b64decode(found["root"])
        if size == 270:
            signed = outside.read_checkpoint(found["checkpoint"], origin=ORIGIN, key=PUBLIC)
            assert signed.root == root == note.root
        else:
            assert found["checkpoint"] is None  # not yet signed
        tree.check_inclusion(
            tree.hash_of_leaf(leaf), index=sequence - 1, size=size, root=root,
            proof=decoded(found["proof"]),
        )  # fmt: skip


async def test_any_two_sizes_are_consistent_and_any_size_proves(log):
    heard, _ = told(33, 700)
    await log.post(heard)
    await log.publisher.run()
    whole = tree.Tree()
    roots = [whole.root()]
    packed = await log.owner.fetch("select packed from leaves where shard = 4 order by first")
    for row in packed:
        for leaf in chunks.unpack(row["packed"]):
            whole.add(tree.hash_of_leaf(leaf))
            roots.append(whole.root())
    assert len(roots) == len(heard) + 1 > 512
    assert log.notes()[-1].root == roots[-1]
    rng = random.Random(33)
    for _ in range(40):
        old, new = sorted(rng.choices(range(len(heard) + 1), k=2))
        found = await log.get(f"/v1/consistency/{SHARD}", old=old, new=new)
        assert b64decode(found["old_root"]) == roots[old]
        assert b64decode(found["new_root"]) == roots[new]
        tree.check_consistency(
            old_size=old, old_root=roots[old], new_size=new, new_root=roots[new],
            proof=decoded(found["proof"]),
        )  # fmt: skip
        size = max(new, 1)
        sequence = rng.randrange(1, size + 1)
        one = await log.get(f"/v1/proofs/{SHARD}/{sequence}", size=size)
        tree.check_inclusion(
            b64decode(one["leaf_hash"]), index=sequence - 1, size=size, root=roots[size],
            proof=decoded(one["proof"]),
        )  # fmt: skip
    now = await log.get(f"/v1/consistency/{SHARD}", old=1)
    assert now["new_size"] == len(heard)
    assert now["new_checkpoint"] == log.archive.last(SHARD)
    await log.ask(f"/v1/consistency/{SHARD}", 422, old=5, new=4)
    await log.ask(f"/v1/consistency/{SHARD}", 422, old=5, new=len(heard) + 1)
    await log.ask(f"/v1/proofs/{SHARD}/{len(heard) + 1}", 422)
    await log.ask(f"/v1/proofs/{SHARD}/9", 422, size=8)


async def test_an_accounts_entry_is_proved_by_the_leaf_that_holds_it(log):
    heard, decided = told(34, 80, accounts=CLUB_ACCOUNTS)
    await log.post(heard)
    await log.publisher.run()
    log.clock.at = decided[-1]
    account = f"/v1/accounts/{CLUB_ACCOUNTS[0]}"
    lines = (await log.get(f"{account}/statement", limit=200))["items"]
    assert len(lines) > 5
    for line in lines:
        found = await log.get(f"{account}/entries/{line['account_sequence']}/proof")
        entry = found["entry"]
        assert (found["sequence"], entry["amount"]) == (line["sequence"], line["amount"])
        sealed = leaves.from_bytes(b64decode(found["leaf"])).rows["entries"]
        row = (entry["line"], entry["account_id"], entry["account_sequence"], entry["amount"],
               entry["balance"])  # fmt: skip
        assert row in sealed
        tree.check_inclusion(
            b64decode(found["leaf_hash"]), index=found["index"], size=found["size"],
            proof=decoded(found["proof"]), root=log.notes()[-1].root,
        )  # fmt: skip
    await log.ask(f"{account}/entries/{len(lines) + 1}/proof", 404)


# -------------------------------------------------------------------------- what is not signed


def alarms(caplog):
    return {record.message for record in caplog.records if record.levelname == "ERROR"}


async def test_a_log_set_back_is_not_signed(log, caplog):
    heard, _ = told(35, 40)
    await log.post(heard[:20])
    await log.publisher.run()
    ahead = checkpoints.Checkpoint(ORIGIN, SHARD, 900, bytes(32), log.clock.at)
    assert log.archive.append(SHARD, checkpoints.sign(ahead, KEY), after=log.archive.last(SHARD))
    await log.post(heard[20:])
    await log.publisher.run()
    assert alarms(caplog) == {"ledger-log-inconsistent"}
    assert [note.size for note in log.notes()] == [20, 900]


@pytest.mark.parametrize("other", [20, 12])
async def test_a_root_that_was_another_is_not_continued(log, caplog, other):
    heard, _ = told(36, 40)
    wrong = checkpoints.Checkpoint(ORIGIN, SHARD, other, bytes(32), log.clock.at)
    assert log.archive.append(SHARD, checkpoints.sign(wrong, KEY), after=None)
    await log.post(heard[:20])
    await log.publisher.run()
    assert alarms(caplog) == {"ledger-log-inconsistent"}
    assert [note.size for note in log.notes()] == [other]


@pytest.mark.parametrize("spoilt", [
    "update shards set peaks = overlay(peaks placing '\\x00'::bytea from 1) where shard = 4",
    "update shards set peaks = ''::bytea where shard = 4",
    "delete from nodes where shard = 4 and level = 8",
    "update nodes set hash = decode(repeat('00', 32), 'hex') where shard = 4 and level = 8",
    "alter table leaves_4_0 disable trigger user; delete from leaves_4_0 where first > 300",
])  # fmt: skip
async def test_peaks_nodes_and_leaves_that_disagree_are_not_signed(log, caplog, spoilt):
    heard, _ = told(37, 500)
    await log.post(heard[:300])
    await log.publisher.run()
    await log.post(heard[300:])
    await log.owner.execute(spoilt)
    await log.publisher.run()
    assert alarms(caplog) == {"ledger-log-inconsistent"}
    assert [note.size for note in log.notes()] == [300]


async def test_a_file_that_does_not_read_stops_its_shard_alone(log, caplog):
    heard, _ = told(38, 30)
    await log.post(heard)
    await log.post(heard, shard=9)
    log.archive.folder.mkdir()
    (log.archive.folder / f"{SHARD}.checkpoints").write_bytes(b"x" * 20_000)
    await log.publisher.run()
    assert alarms(caplog) == {"ledger-checkpoints-unreadable"}
    assert [note.size for note in log.notes(9)] == [len(heard)]


async def test_of_two_publishers_one_signs_a_size(log, caplog):
    heard, _ = told(39, 30)
    await log.post(heard[:10])
    other = jobs.Publisher(log.database, log.clock, log.archive, KEY, ORIGIN)
    await log.publisher.run()
    await other.run()
    await log.post(heard[10:])
    await other.run()
    await log.publisher.run()
    assert [note.size for note in log.notes()] == [10, len(heard)]
    assert not alarms(caplog)


async def test_a_log_that_cannot_be_published_holds_up_no_other_shards(log):
    class Full(clients.Archive):
        """A folder without room for one shard."""

        def append(self, shard, text, *, after):
            if shard == SHARD:
                raise OSError(28, "No space left on device")
            return super().append(shard, text, after=after)

    heard, _ = told(31, 9)
    for shard in (SHARD, 9):
        await log.post(heard, shard=shard)
    full = Full(log.archive.folder)
    await jobs.Publisher(log.database, log.clock, full, KEY, ORIGIN).run()
    assert log.archive.shards() == [9]
    await log.publisher.run()
    assert [note.size for note in log.notes()] == [len(heard)]

"""The local tables: newest version wins, offsets in the same transaction, built again at will."""

import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contracts.members import Binding, IdentifierKind
from contracts.merchants import MerchantStanding
from gateway.tables import store
from gateway.tables.store import Table, Tables

from .fakes import (
    CARD,
    OPENED,
    digest_of,
    identifier,
    programme,
    terminal,
    terms,
)

PLACE = ("members.identifiers", 2)
DIGEST = digest_of(IdentifierKind.CARD, CARD)


def opened(folder: Path, cluster: str = "c", boot: str = "b") -> Tables:
    return Tables.open(folder, cluster=cluster, boot=boot, map_gib=1)


def test_the_newest_version_wins_in_any_order_and_repeats_change_nothing(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    versions = [identifier(CARD, version=v, last4=f"{v:04}") for v in range(1, 6)]
    rows = [store.identifier_row(one) for one in versions]
    shuffled = rows * 3
    random.Random(7).shuffle(shuffled)
    for row in shuffled:
        tables.apply([row], {}, {})
    assert tables.find_identifier(DIGEST) == versions[-1]
    assert tables.apply(rows, {}, {}) == 0
    assert tables.count(Table.IDENTIFIERS) == 1


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    bindings = tuple(
        Binding(
            from_at=OPENED + timedelta(days=d, microseconds=d), member=d, account=2**52 + d, shard=d
        )
        for d in range(3)
    )
    card = identifier(CARD, bindings=bindings, blocked_at=OPENED)
    till = terminal(2**31 - 1)
    tables.apply([store.identifier_row(card), store.terminal_row(till)], {}, {})
    assert tables.find_identifier(DIGEST) == card
    assert tables.find_terminal(2**31 - 1) == till
    assert tables.find_terminal(5) is None
    assert tables.find_identifier("ab" * 32) is None


def test_all_versions_of_programmes_and_terms_are_kept(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    later = OPENED + timedelta(days=1)
    tables.apply([store.programme_row(programme(2, later))], {}, {})
    assert [e.version for e in tables.list_programmes(12)] == [2]
    tables.apply(
        [
            store.programme_row(programme(1, OPENED)),
            store.programme_row(programme(1, later)),  # a version says one thing for ever
            store.programme_row(programme(1, OPENED, merchant=13)),
            store.terms_row(terms(300, later)),
            store.terms_row(terms(1, OPENED)),
        ],
        {},
        {},
    )
    assert [(e.version, e.effective_from) for e in tables.list_programmes(12)] == [
        (1, OPENED),
        (2, later),
    ]
    assert [e.party for e in tables.list_programmes(13)] == [113]
    assert tables.list_programmes(14) == ()
    assert [e.version for e in tables.list_terms()] == [1, 300]


def test_offsets_and_heartbeats_stand_beside_the_rows(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    assert tables.offsets([PLACE]) == {PLACE: 0}
    tables.apply([store.identifier_row(identifier(CARD))], {PLACE: 41}, {PLACE: 1_700_000_000_123})
    tables.close()
    again = opened(tmp_path / "t")
    assert again.offsets([PLACE]) == {PLACE: 41}
    assert again.heartbeats([PLACE]) == {PLACE: 1_700_000_000_123}
    assert again.find_identifier(DIGEST) is not None


def test_a_spoilt_number_reads_as_none_and_the_topic_is_read_again(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    tables.apply([], {PLACE: 41}, {PLACE: 1_700_000_000_123})
    with tables._env.begin(write=True) as tx:
        for what in (b"offset", b"heartbeat"):
            tx.put(store._place_key(what, PLACE), b"\xff7", db=tables._state)
    assert tables.offsets([PLACE]) == {PLACE: 0}
    assert tables.heartbeats([PLACE]) == {PLACE: 0}


def test_a_row_that_fails_takes_its_offset_with_it(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    too_long = store.Row(Table.TERMINALS, b"x" * 1000, 1, b"")
    with pytest.raises(Exception, match="MDB_BAD_VALSIZE"):
        tables.apply([store.identifier_row(identifier(CARD)), too_long], {PLACE: 9}, {})
    assert tables.offsets([PLACE]) == {PLACE: 0}
    assert tables.find_identifier(DIGEST) is None


def test_rebuilding_one_table_leaves_the_others(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    rows = [store.identifier_row(identifier(CARD)), store.terms_row(terms(1, OPENED))]
    tables.apply(rows, {PLACE: 5, ("merchants.terms", 0): 3}, {})
    before = tables.dump(Table.IDENTIFIERS)
    tables.rebuild((Table.IDENTIFIERS,), [PLACE])
    assert tables.count(Table.IDENTIFIERS) == 0
    assert tables.offsets([PLACE, ("merchants.terms", 0)]) == {PLACE: 0, ("merchants.terms", 0): 3}
    assert len(tables.list_terms()) == 1
    tables.apply(rows, {}, {})
    assert tables.dump(Table.IDENTIFIERS) == before


def test_who_is_stopped_is_known_again_after_a_restart(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    changes = [(7, 1, True), (8, 1, True), (8, 2, False), (9, 3, False), (9, 2, True)]
    rows = [
        store.merchant_row(MerchantStanding(merchant=m, version=v, stopped=s))
        for m, v, s in changes
    ]
    tables.apply(rows, {PLACE: 5}, {})
    assert tables.merchants_stopped == {7}
    tables.close()
    assert opened(tmp_path / "t").merchants_stopped == {7}


def test_another_cluster_s_tables_are_not_believed(tmp_path: Path) -> None:
    tables = opened(tmp_path / "t")
    tables.apply([store.identifier_row(identifier(CARD))], {PLACE: 5}, {})
    tables.close()
    other = opened(tmp_path / "t", cluster="d")
    assert other.count(Table.IDENTIFIERS) == 0
    assert other.offsets([PLACE]) == {PLACE: 0}


WRITER = """
import sys
from pathlib import Path
from gateway.tables.store import Row, Table, Tables
tables = Tables.open(Path(sys.argv[1]), cluster="c", boot="b", map_gib=1)
tables.apply([Row(Table.TERMS, b"k", 1, b"v")], {("t", 0): 7}, {})
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_writer(folder: Path) -> None:
    result = subprocess.run([sys.executable, "-c", WRITER, str(folder)], check=False)
    assert result.returncode == -9


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    killed_writer(tmp_path / "t")
    tables = opened(tmp_path / "t")
    assert tables.offsets([("t", 0)]) == {("t", 0): 7}
    assert tables.count(Table.TERMS) == 1


def test_after_the_machine_went_down_the_tables_are_built_anew(tmp_path: Path) -> None:
    killed_writer(tmp_path / "t")
    tables = opened(tmp_path / "t", boot="another start")
    assert tables.offsets([("t", 0)]) == {("t", 0): 0}
    tables.apply([store.Row(Table.TERMS, b"k", 1, b"v")], {("t", 0): 7}, {})
    tables.close()
    # closed in good order: another start of the machine may believe it
    assert opened(tmp_path / "t", boot="a third").offsets([("t", 0)]) == {("t", 0): 7}


def test_a_damaged_file_is_built_anew(tmp_path: Path) -> None:
    opened(tmp_path / "t").close()
    (tmp_path / "t" / "data.mdb").write_bytes(b"not a database" * 1000)
    assert opened(tmp_path / "t").count(Table.TERMS) == 0


def test_an_identifier_takes_about_a_hundred_bytes() -> None:
    row = store.identifier_row(identifier(CARD, identifier_id="0" * 36))
    assert len(row.value) < 90
    assert len(row.value) < len(msgspec.json.encode(identifier(CARD))) / 3

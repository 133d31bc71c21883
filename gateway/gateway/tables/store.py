"""The local tables, in LMDB: what the gateway knows of members and merchants, fed by topics.

The topics are the truth and the tables can always be built again, so nothing is flushed at a
commit (MDB_NOSYNC): a process that dies loses nothing, since the pages are the kernel's; a
machine that dies may leave a torn file, which the marker beside it betrays, and the tables are
then built anew.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

import lmdb
import msgspec

from contracts.identity import ApiKey, Session
from contracts.members import Binding, Identifier, IdentifierKind
from contracts.merchants import MerchantStanding, Programme, Terminal, Terms
from gateway.tables.domain import EffectiveVersion

Place = tuple[str, int]  # topic and partition

GIB: Final = 2**30
_CLEAN: Final = "closed"
_LAYOUT: Final = b"2"  # rises when rows are written differently: the tables are built anew


class Table(Enum):
    """The local tables of contracts.topics that are this room's."""

    IDENTIFIERS = b"identifiers"
    TERMINALS = b"terminals"
    MERCHANTS = b"merchants"
    PROGRAMMES = b"programmes"
    TERMS = b"terms"
    SESSIONS = b"sessions"
    API_KEYS = b"api_keys"


@dataclass(frozen=True, slots=True)
class Row:
    """One row to keep, unless a newer version of its key is there."""

    table: Table
    key: bytes
    version: int
    value: bytes


class _BindingRow(msgspec.Struct, frozen=True, array_like=True):
    from_at: datetime
    member: int
    account: int
    shard: int


class _IdentifierRow(msgspec.Struct, frozen=True, array_like=True):
    identifier_id: str
    kind: IdentifierKind
    last4: str
    bindings: tuple[_BindingRow, ...]
    blocked_at: datetime | None


_encode: Final = msgspec.msgpack.Encoder().encode
_identifier: Final = msgspec.msgpack.Decoder(_IdentifierRow).decode
_terminal: Final = msgspec.msgpack.Decoder(Terminal).decode
_session: Final = msgspec.msgpack.Decoder(Session).decode
_api_key: Final = msgspec.msgpack.Decoder(ApiKey).decode
_version: Final = msgspec.msgpack.Decoder(EffectiveVersion).decode
_VERSION_BYTES: Final = 8
_STATUSES: Final = (b"open", b"stopped")


def identifier_row(record: Identifier) -> Row:
    """The row of an identifier, keyed by its digest."""
    bindings = tuple(_BindingRow(b.from_at, b.member, b.account, b.shard) for b in record.bindings)
    row = _IdentifierRow(
        record.identifier_id, record.kind, record.last4, bindings, record.blocked_at
    )
    return Row(Table.IDENTIFIERS, bytes.fromhex(record.digest), record.version, _encode(row))


def terminal_row(record: Terminal) -> Row:
    """The row of a terminal, keyed by its number."""
    return Row(Table.TERMINALS, _key(record.terminal), record.version, _encode(record))


def merchant_row(record: MerchantStanding) -> Row:
    """The row of a merchant that was ever stopped, keyed by its number."""
    return Row(Table.MERCHANTS, _key(record.merchant), record.version, _STATUSES[record.stopped])


def programme_row(record: Programme) -> Row:
    """The row of one version of a programme: what the gateway resolves, no more."""
    version = EffectiveVersion(record.version, record.effective_from, record.party)
    key = _key(record.merchant, record.version)
    return Row(Table.PROGRAMMES, key, record.version, _encode(version))


def terms_row(record: Terms) -> Row:
    """The row of one version of the network's terms."""
    version = EffectiveVersion(record.version, record.effective_from)
    return Row(Table.TERMS, _key(record.version), record.version, _encode(version))


def session_row(record: Session) -> Row:
    """The row of a session, keyed by its id."""
    return Row(Table.SESSIONS, bytes.fromhex(record.session), record.version, _encode(record))


def api_key_row(record: ApiKey) -> Row:
    """The row of a program's key, keyed by its id."""
    return Row(Table.API_KEYS, bytes.fromhex(record.key), record.version, _encode(record))


def _key(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4) for number in numbers)


@dataclass(slots=True)
class Tables:
    """An open environment of tables. One process at a time; reads and writes from its loop."""

    folder: Path
    cluster: str
    _env: lmdb.Environment
    _dbs: dict[Table, Any]
    _state: Any  # offsets, heartbeats, cluster and layout
    _versions: dict[int, tuple[EffectiveVersion, ...]] = field(default_factory=dict[int, Any])
    terminals_changed: int = 0  # rises with every change, for whoever keeps verified keys
    merchants_stopped: set[int] = field(
        default_factory=set[int]
    )  # few: looked up for every request

    @classmethod
    def open(cls, folder: Path, *, cluster: str, boot: str, map_gib: int) -> "Tables":
        """Open or create. cluster: Kafka's id; boot: this start of the machine, "" unknown.

        Tables of another cluster or layout, and those of a machine that went down with them open,
        are removed: they come again from their topics.
        """
        marker = folder / "marker"
        state = marker.read_text() if marker.exists() else ""
        if state != _CLEAN and (state != boot or not boot):
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(
            0o700
        )  # other users must not read which identifiers are presented (findings S10)
        marker.write_text(boot)
        try:
            tables = cls._opened(folder, cluster, map_gib)
        except (lmdb.CorruptedError, lmdb.InvalidError, lmdb.VersionMismatchError):
            shutil.rmtree(folder)
            folder.mkdir(parents=True, mode=0o700)
            marker.write_text(boot)
            tables = cls._opened(folder, cluster, map_gib)
        tables._check_owner()
        return tables

    @classmethod
    def _opened(cls, folder: Path, cluster: str, map_gib: int) -> "Tables":
        env = lmdb.open(
            str(folder),
            map_size=map_gib * GIB,
            subdir=True,
            mode=0o600,
            writemap=False,
            sync=False,
            metasync=False,
            readahead=False,  # look-ups are random
            meminit=False,
            max_dbs=len(Table) + 1,
            max_spare_txns=4,
        )
        dbs = {table: env.open_db(table.value) for table in Table}
        return cls(folder, cluster, env, dbs, env.open_db(b"state"))

    def _check_owner(self) -> None:
        owner = _LAYOUT + b"/" + self.cluster.encode()
        with self._env.begin(write=True) as tx:
            if tx.get(b"whose", db=self._state) != owner:
                for db in (*self._dbs.values(), self._state):
                    tx.drop(db, delete=False)
                tx.put(b"whose", owner, db=self._state)
            for key, value in tx.cursor(db=self._dbs[Table.MERCHANTS]):
                self._note_status(key, value[_VERSION_BYTES:])

    def _note_status(self, key: bytes, status: bytes) -> None:
        merchant = int.from_bytes(key)
        if status == _STATUSES[True]:
            self.merchants_stopped.add(merchant)
        else:
            self.merchants_stopped.discard(merchant)

    def close(self) -> None:
        """Flush and close; the next open trusts what is there."""
        self._env.sync(True)
        self._env.close()
        (self.folder / "marker").write_text(_CLEAN)

    # ------------------------------------------------------------------------------- writing

    def apply(
        self, rows: Iterable[Row], offsets: Mapping[Place, int], heartbeats: Mapping[Place, int]
    ) -> int:
        """Keep rows that are newer than what is there, and how far their topics were read.

        offsets: next offset of each partition; heartbeats: the record's time of the last one, ms.
        All in one transaction, so a crash repeats rows or not, and repeats change nothing.
        Gives the number of rows that changed.
        """
        kept: list[Row] = []
        with self._env.begin(write=True) as tx:
            for row in rows:
                version = row.version.to_bytes(_VERSION_BYTES)
                db = self._dbs[row.table]
                stored = tx.get(row.key, db=db)
                if stored is None or stored[:_VERSION_BYTES] < version:
                    tx.put(row.key, version + row.value, db=db)
                    kept.append(row)
            for place, offset in offsets.items():
                tx.put(_place_key(b"offset", place), b"%d" % offset, db=self._state)
            for place, at_ms in heartbeats.items():
                tx.put(_place_key(b"heartbeat", place), b"%d" % at_ms, db=self._state)
        self._forget(kept)
        return len(kept)

    def rebuild(self, tables: Iterable[Table], places: Sequence[Place]) -> None:
        """Empty a topic's tables and forget how far it was read; they come again from the start.

        A stopped merchant stays stopped in memory until the topic changes it.
        """
        with self._env.begin(write=True) as tx:
            for table in tables:
                tx.drop(self._dbs[table], delete=False)
            for place in places:
                tx.delete(_place_key(b"offset", place), db=self._state)
        self._versions.clear()
        self.terminals_changed += 1

    def _forget(self, kept: Sequence[Row]) -> None:
        for row in kept:
            if row.table is Table.TERMINALS:
                self.terminals_changed += 1
            elif row.table is Table.MERCHANTS:
                self._note_status(row.key, row.value)
            elif row.table is Table.PROGRAMMES:
                self._versions.pop(int.from_bytes(row.key[:4]), None)
            elif row.table is Table.TERMS:
                self._versions.pop(0, None)

    # ------------------------------------------------------------------------------- reading

    def offsets(self, places: Iterable[Place]) -> dict[Place, int]:
        """Next offset to read of each partition; 0 where none was read."""
        return self._numbers(b"offset", places)

    def heartbeats(self, places: Iterable[Place]) -> dict[Place, int]:
        """Time of the last heartbeat of each partition, in ms since the epoch; 0 for none."""
        return self._numbers(b"heartbeat", places)

    def _numbers(self, kind: bytes, places: Iterable[Place]) -> dict[Place, int]:
        with self._env.begin() as tx:
            values = {p: tx.get(_place_key(kind, p), b"0", db=self._state) for p in places}
        return {place: int(value) if value.isdigit() else 0 for place, value in values.items()}

    def find_identifier(self, digest: str) -> Identifier | None:
        """The newest version of an identifier by its keyed digest (hex)."""
        with self._env.begin() as tx:
            value = tx.get(bytes.fromhex(digest), db=self._dbs[Table.IDENTIFIERS])
        if value is None:
            return None
        row = _identifier(memoryview(value)[_VERSION_BYTES:])
        return Identifier(
            identifier_id=row.identifier_id,
            version=int.from_bytes(value[:_VERSION_BYTES]),
            digest=digest,
            kind=row.kind,
            last4=row.last4,
            bindings=tuple(
                Binding(from_at=b.from_at, member=b.member, account=b.account, shard=b.shard)
                for b in row.bindings
            ),
            blocked_at=row.blocked_at,
        )

    def find_terminal(self, terminal: int) -> Terminal | None:
        """The newest version of a terminal."""
        with self._env.begin() as tx:
            value = tx.get(_key(terminal), db=self._dbs[Table.TERMINALS])
        return None if value is None else _terminal(memoryview(value)[_VERSION_BYTES:])

    def find_session(self, session: str) -> Session | None:
        """The newest version of a session by its id, 32 hex digits."""
        with self._env.begin() as tx:
            value = tx.get(bytes.fromhex(session), db=self._dbs[Table.SESSIONS])
        return None if value is None else _session(memoryview(value)[_VERSION_BYTES:])

    def find_api_key(self, key: str) -> ApiKey | None:
        """The newest version of a program's key by its id, 32 hex digits."""
        with self._env.begin() as tx:
            value = tx.get(bytes.fromhex(key), db=self._dbs[Table.API_KEYS])
        return None if value is None else _api_key(memoryview(value)[_VERSION_BYTES:])

    def list_programmes(self, merchant: int) -> tuple[EffectiveVersion, ...]:
        """All versions of a merchant's programme, in order of version."""
        return self._list(Table.PROGRAMMES, merchant)

    def list_terms(self) -> tuple[EffectiveVersion, ...]:
        """All versions of the network's terms, in order of version."""
        return self._list(Table.TERMS, 0)

    def _list(self, table: Table, merchant: int) -> tuple[EffectiveVersion, ...]:
        versions = self._versions.get(merchant)
        if versions is None:
            prefix = _key(merchant) if merchant else b""
            with self._env.begin() as tx:
                cursor = tx.cursor(db=self._dbs[table])
                values: list[bytes] = []
                more = cursor.set_range(prefix) if prefix else cursor.first()
                while more and cursor.key().startswith(prefix):
                    values.append(cursor.value())
                    more = cursor.next()
            versions = tuple(_version(memoryview(v)[_VERSION_BYTES:]) for v in values)
            if versions:  # a caller may name any number: only existing ones are remembered
                self._versions[merchant] = versions
        return versions

    def count(self, table: Table) -> int:
        """Rows of a table."""
        with self._env.begin() as tx:
            return int(tx.stat(self._dbs[table])["entries"])

    def dump(self, table: Table) -> dict[bytes, bytes]:
        """A table's rows, whole: for comparing it with one that was built again."""
        with self._env.begin() as tx:
            return dict(tx.cursor(db=self._dbs[table]).iternext(keys=True, values=True))


def is_of_the_disk(error: Exception) -> bool:
    """Whether the store itself failed, and not a value that it was to keep."""
    return isinstance(error, lmdb.Error) and not isinstance(error, lmdb.BadValsizeError)


def _place_key(kind: bytes, place: Place) -> bytes:
    return b"%s/%s/%d" % (kind, place[0].encode(), place[1])

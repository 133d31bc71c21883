"""The tables of a ledger's book as the audit reads them: columns, their kinds, their order."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["small", "int", "big", "time", "bool", "text", "bytes", "bigs", "ints"]

WIDTHS: dict[str, int] = {"small": 2, "int": 4, "big": 8, "time": 8, "bool": 1}


@dataclass(frozen=True)
class Column:
    """One column; times are microseconds since 1970 once read."""

    name: str
    kind: Kind
    optional: bool = False


@dataclass(frozen=True)
class Table:
    """One table. columns: those of fixed width that are never null come first."""

    name: str
    columns: tuple[Column, ...]
    order: str  # columns that a shard's rows are read by

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def place(self, name: str) -> int:
        """The place of a column in a row."""
        return self.names.index(name)

    def select(self, where: str) -> str:
        """The query for rows of this table, in its order."""
        columns = ", ".join(self.names)
        return f"select {columns} from {self.name} where {where} order by {self.order}"  # noqa: S608 - names of this file


def _columns(text: str) -> tuple[Column, ...]:
    """Columns from "name kind, name kind?, …"; a question mark: may be null."""
    columns: list[Column] = []
    for part in text.split(","):
        name, kind = part.split()
        columns.append(Column(name, kind.rstrip("?"), kind.endswith("?")))  # type: ignore[arg-type]
    return tuple(columns)


LEAVES = Table(
    "leaves",
    _columns("first big, decided_at time, shard small, count small, digest bytes, packed bytes"),
    "first",
)
OUTCOMES = Table(
    "outcomes",
    _columns("sequence big, shard small, name text, fingerprint bytes?"),
    "sequence, name",
)
ENTRIES = Table(
    "entries",
    _columns(
        "sequence big, line small, account_id int, account_sequence int, amount big, balance big,"
        " shard small"
    ),
    "sequence, line",
)
CONSUMPTIONS = Table(
    "consumptions",
    _columns(
        "sequence big, ordinal small, lot big, amount big, cost_rial big, claim_rial big,"
        " fee_rial big, original_sequence big, original_ordinal small, issuer int, acceptor int,"
        " merchant int, shard small, what text"
    ),
    "sequence, ordinal",
)
SHARDS = Table(
    "shards",
    _columns(
        "shard small, last_sequence big, decided_at time, account_count int, has_standings bool,"
        " window_closed int, peaks bytes"
    ),
    "shard",
)
ACCOUNTS = Table(
    "accounts",
    _columns(
        "shard small, account_id int, entry_count int, counterparty int, owner big, balance big,"
        " role text, unit text"
    ),
    "account_id",
)
LOTS = Table(
    "lots",
    _columns(
        "lot big, amount big, cost_rial big, remaining big, cost_left big, held big, lapsed big,"
        " born_at time, account_id int, issuer int, funder int, merchant int,"
        " rule_version int, shard small, open bool, waits bool, sliding_days int,"
        " available_from time?, expires_at time?, parent big?, unit text, rule text, origin text"
    ),
    "lot",
)
ORIGINALS = Table(
    "originals",
    _columns(
        "shard small, sequence big, total_rial big, refunded_rial big, is_full bool,"
        " is_reversed bool, refunded bigs, name text, verdict text"
    ),
    "name",
)
NODES = Table(
    "nodes", _columns("shard small, level small, number big, hash bytes"), "level, number"
)

HOLDS = Table(
    "holds",
    _columns(
        "hold big, owner big, due_at time, shard small, resolved_by big?, lots bigs, amounts bigs,"
        " name text, resolution text"
    ),
    "hold",
)
STANDINGS = Table(
    "standings",
    _columns("shard small, is_party bool, number big, sequence big, standing text"),
    "is_party, number",
)
TERMS = Table(
    "terms",
    _columns(
        "shard small, version int, numerator big, denominator big, sequence big, accepted_by ints,"
        " kind text, id text"
    ),
    "kind, id, version",
)
CARDS = Table("cards", _columns("shard small, account big, issuer int, sequence big"), "account")
WINDOWS = Table("windows", _columns("shard small, closed int, sequence big"), "closed")
POSITIONS = Table(
    "positions",
    _columns("shard small, debtor int, creditor int, closed int, reached_rial big"),
    "debtor, creditor, closed",
)
SETTLEMENTS = Table(
    "settlements",
    _columns("shard small, debtor int, creditor int, settled_rial big, closed int, sequence big"),
    "debtor, creditor",
)

# Tables for past balances, besides entries and consumptions.
LOT_DATES = Table(
    "lot_dates",
    _columns("sequence big, lot big, shard small, available_from time?, expires_at time?"),
    "sequence, lot",
)
SENDS = Table(
    "sends", _columns("sequence big, owner big, shard small, to_shard small"), "sequence, owner"
)

BOOK = (LEAVES, OUTCOMES, ENTRIES, CONSUMPTIONS)
HISTORY = (LOT_DATES, SENDS)
REGISTRY = (STANDINGS, TERMS, CARDS, WINDOWS, POSITIONS, SETTLEMENTS)
STATE = (SHARDS, ACCOUNTS, LOTS, HOLDS, ORIGINALS, NODES)
ALL = BOOK + HISTORY + STATE + REGISTRY

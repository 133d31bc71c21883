"""Every topic of the platform in one table: who owns it, who reads it, how it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from contracts import campaigns, fraud, identity, ledger, members, merchants, platform, pos

DAY_MS: Final = 86_400_000
_HEARING: Final = ("gateway", "fraud", "campaigns", "ledger", "members", "merchants", "notify")
ROOMS: Final = (*_HEARING, "identity")


class Spread(Enum):
    """How many partitions a topic has."""

    SHARDS = "one per shard"
    GATEWAYS = "one per gateway instance"
    FOUR = "four"
    ONE = "one"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTable:
    """A table a room keeps of a topic, rebuilt from it alone: `python -m room rebuild-tables`."""

    room: str
    table: str
    key: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. retention_ms None: for ever. numbered: with stream and number (architecture 6).

    owner: the room that defines its messages and writes them; producers: rooms that also write.
    """

    name: str
    owner: str
    key: str
    spread: Spread
    events: Mapping[str, type[Any]]
    consumers: tuple[str, ...]
    producers: tuple[str, ...] = ()
    retention_ms: int | None = None
    compacted: bool = False
    numbered: bool = False
    durable: bool = False  # money: flushed before it is acknowledged
    append_time: bool = False  # the broker's own stamp, for the clock guard
    local_tables: tuple[LocalTable, ...] = field(default=())


_HEARTBEAT: Final = {"heartbeat.v1": merchants.Heartbeat}

POS_TRANSACTIONS: Final = Topic(
    name="pos.transactions",
    owner="gateway",
    key="account",
    spread=Spread.SHARDS,
    events={"transaction-submitted.v1": pos.PosTransaction},
    consumers=("fraud",),
    durable=True,
    append_time=True,
)
FRAUD_SCREENED: Final = Topic(
    name="fraud.screened",
    owner="fraud",
    key="account",
    spread=Spread.SHARDS,
    events={
        "transaction-screened.v1": fraud.ScreenedTransaction,
        "transaction-refused.v1": fraud.RefusedTransaction,
    },
    consumers=("campaigns",),
    retention_ms=30 * DAY_MS,
    numbered=True,
    durable=True,
)
LEDGER_COMMANDS: Final = Topic(
    name="ledger.commands",
    owner="ledger",
    key="account",
    spread=Spread.SHARDS,
    events=ledger.COMMANDS,
    consumers=("ledger",),
    producers=("campaigns", "fraud", "members", "merchants"),
    numbered=True,
    durable=True,
)
LEDGER_ENTRIES: Final = Topic(
    name="ledger.entries",
    owner="ledger",
    key="account",
    spread=Spread.SHARDS,
    events={"outcome-recorded.v1": ledger.Outcome},
    consumers=("members", "merchants", "campaigns", "notify", "fraud"),
    numbered=True,
    durable=True,
    local_tables=(
        LocalTable(room="members", table="balances", key=("account",), version="sequence"),
        LocalTable(room="members", table="balances_progress", key=("shard",), version="sequence"),
    ),
)
GATEWAY_REPLIES: Final = Topic(
    name="gateway.replies",
    owner="ledger",
    key="name",
    spread=Spread.GATEWAYS,
    events={"transaction-answered.v1": ledger.Reply},
    consumers=("gateway",),
    producers=("gateway",),  # a probe to its own partition measures the clock
    retention_ms=300_000,
    append_time=True,
)
FRAUD_TERMINALS: Final = Topic(
    name="fraud.terminals",
    owner="fraud",
    key="terminal",
    spread=Spread.FOUR,
    events={
        "terminals-seen.v1": fraud.TerminalsSeen,
    },
    consumers=("fraud",),
    retention_ms=30 * DAY_MS,
    numbered=True,
)
MEMBERS_IDENTIFIERS: Final = Topic(
    name="members.identifiers",
    owner="members",
    key="digest@version",
    spread=Spread.FOUR,
    events={"identifier-changed.v1": members.Identifier, **_HEARTBEAT},
    consumers=("gateway",),
    compacted=True,
    local_tables=(
        LocalTable(room="gateway", table="identifiers", key=("digest",), version="version"),
    ),
)
MEMBERS_CONTACTS: Final = Topic(
    name="members.contacts",
    owner="members",
    key="member",
    spread=Spread.FOUR,
    events={"contact-changed.v1": members.Contact},
    consumers=("notify",),
    compacted=True,
    local_tables=(LocalTable(room="notify", table="contacts", key=("member",), version="version"),),
)
MEMBERS_NOTICES: Final = Topic(
    name="members.notices",
    owner="members",
    key="member",
    spread=Spread.FOUR,
    events={"holding-changed.v1": members.HoldingChanged},
    consumers=("notify",),
    retention_ms=30 * DAY_MS,
)
MERCHANTS_TERMINALS: Final = Topic(
    name="merchants.terminals",
    owner="merchants",
    key="terminal@version or merchant/number@version",
    spread=Spread.ONE,
    events={
        "terminal-changed.v1": merchants.Terminal,
        "merchant-standing-changed.v1": merchants.MerchantStanding,
        **_HEARTBEAT,
    },
    consumers=("gateway",),
    compacted=True,
    local_tables=(
        LocalTable(room="gateway", table="terminals", key=("terminal",), version="version"),
        LocalTable(room="gateway", table="merchants", key=("merchant",), version="version"),
    ),
)
MERCHANTS_MERCHANTS: Final = Topic(
    name="merchants.merchants",
    owner="merchants",
    key="merchant@version",
    spread=Spread.ONE,
    events={"merchant-changed.v1": merchants.Merchant, **_HEARTBEAT},
    consumers=("notify",),
    compacted=True,
    local_tables=(LocalTable(room="notify", table="titles", key=("merchant",), version="version"),),
)
MERCHANTS_PROGRAMMES: Final = Topic(
    name="merchants.programmes",
    owner="merchants",
    key="merchant@version",
    spread=Spread.ONE,
    events={"programme-published.v1": merchants.Programme, **_HEARTBEAT},
    consumers=("gateway", "campaigns"),
    compacted=True,
    local_tables=(
        LocalTable(room="gateway", table="programmes", key=("merchant",), version="version"),
        LocalTable(room="campaigns", table="programmes", key=("merchant",), version="version"),
    ),
)
MERCHANTS_TERMS: Final = Topic(
    name="merchants.terms",
    owner="merchants",
    key="network@version",
    spread=Spread.ONE,
    events={"terms-published.v1": merchants.Terms, **_HEARTBEAT},
    consumers=("gateway", "campaigns", "fraud"),
    compacted=True,
    local_tables=(
        LocalTable(room="gateway", table="terms", key=(), version="version"),
        LocalTable(room="campaigns", table="terms", key=(), version="version"),
        LocalTable(room="fraud", table="terms", key=(), version="version"),
    ),
)
MERCHANTS_DISPUTES: Final = Topic(
    name="merchants.disputes",
    owner="merchants",
    key="dispute",
    spread=Spread.ONE,
    events={"dispute-changed.v1": merchants.DisputeChanged},
    consumers=("notify",),
    retention_ms=30 * DAY_MS,
)
CAMPAIGNS_RULES: Final = Topic(
    name="campaigns.rules",
    owner="campaigns",
    key="rule@version",
    spread=Spread.ONE,
    events={"rule-published.v1": campaigns.RulePublished},
    consumers=("campaigns",),
    compacted=True,
    local_tables=(
        LocalTable(room="campaigns", table="live_rules", key=("rule",), version="version"),
    ),
)
IDENTITY_SESSIONS: Final = Topic(
    name="identity.sessions",
    owner="identity",
    key="session or key/id",  # and not the version: what is kept of each is its last state
    spread=Spread.ONE,
    events={
        "session-changed.v1": identity.Session,
        "api-key-changed.v1": identity.ApiKey,
        **_HEARTBEAT,
    },
    consumers=("gateway",),
    compacted=True,
    local_tables=(
        LocalTable(room="gateway", table="sessions", key=("session",), version="version"),
        LocalTable(room="gateway", table="api_keys", key=("key",), version="version"),
    ),
)
PLATFORM_CLOCK: Final = Topic(
    name="platform.clock",
    owner="platform",
    key="platform",
    spread=Spread.ONE,
    events={"clock-advanced.v1": platform.ClockAdvanced},
    consumers=(),  # every process of a sandbox, through kit.stream.sandbox_clock
)
DEAD_LETTERS: Final = Topic(
    name="platform.dead-letters",
    owner="platform",
    key="topic",
    spread=Spread.ONE,
    events={"dead-letter.v1": platform.DeadLetter},
    consumers=(),  # read by operators
    producers=_HEARING,
)

TOPICS: Final = (
    POS_TRANSACTIONS,
    FRAUD_SCREENED,
    LEDGER_COMMANDS,
    LEDGER_ENTRIES,
    GATEWAY_REPLIES,
    FRAUD_TERMINALS,
    MEMBERS_IDENTIFIERS,
    MEMBERS_CONTACTS,
    MEMBERS_NOTICES,
    MERCHANTS_TERMINALS,
    MERCHANTS_MERCHANTS,
    MERCHANTS_PROGRAMMES,
    MERCHANTS_TERMS,
    MERCHANTS_DISPUTES,
    CAMPAIGNS_RULES,
    IDENTITY_SESSIONS,
    PLATFORM_CLOCK,
    DEAD_LETTERS,
)


def partitions(topic: Topic, *, shards: int, gateways: int) -> int:
    """Number of partitions of a topic in a platform of so many shards and gateway instances."""
    match topic.spread:
        case Spread.SHARDS:
            return shards
        case Spread.GATEWAYS:
            return gateways
        case Spread.FOUR:
            return 4
        case Spread.ONE:
            return 1

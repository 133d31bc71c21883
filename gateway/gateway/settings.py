"""What the gateway process is told."""

from kit import settings


class Settings(settings.Room, frozen=True, kw_only=True):
    """Beside a room's own: where the services are, the reply partition, budgets and limits."""

    ledger_url: str
    merchants_url: str
    members_url: str
    campaigns_url: str
    fraud_url: str
    notify_url: str
    identifier_key: str  # HMAC of identifiers, the one that members has
    tables_dir: str  # folder of the local tables
    operators: tuple[str, ...] = ()  # name:role+role:sha256hex of the key's secret part
    reply_partition: int = 0
    gateways: int = 4  # partitions of gateway.replies
    pos_budget_ms: int = 1500
    retry_after_ms: int = 500
    pending_max: int = 5_000  # requests on the road at a time; beyond it 503
    terminal_rate_per_s: float = 200.0
    terminal_burst: float = 400.0
    lookup_timeout_ms: int = 50
    lookup_rate_per_s: float = 5.0  # of misses a terminal
    lookup_burst: float = 20.0
    tables_map_gib: int = 64  # address space of the tables; the file grows only as it must

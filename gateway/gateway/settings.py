"""Settings of a gateway process."""

from kit.base import settings


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """Beside a room's own: where the services are, the reply partition, budgets and limits."""

    ledger_url: str
    merchants_url: str
    members_url: str
    campaigns_url: str
    fraud_url: str
    notify_url: str
    identity_url: str
    services_ca: str = ""  # file: whom services behind https addresses must be signed by
    identifier_keys: tuple[str, ...]  # as members has them: 32 bytes, base64, the newest first
    tables_dir: str  # folder of the local tables
    operators: tuple[str, ...] = ()  # name:role+role:sha256hex of the key's secret part
    reply_partition: int = 0
    gateways: int = 4  # partitions of gateway.replies
    pos_budget_ms: int = 1500
    retry_after_ms: int = 500
    pending_max: int = 5_000  # requests on the road at a time; beyond it 503
    pending_each: int = 32  # of them under one key; beyond it 429
    terminal_rate_per_s: float = 50.0  # of one key; a body counts once for every 2 KiB begun
    terminal_burst: float = 100.0
    merchant_rate_per_s: float = 500.0  # of all keys of one merchant
    merchant_burst: float = 1_000.0
    history_rate_per_s: float = 250.0  # imported purchases under one operator's key
    history_burst: float = 250.0
    history_each: int = 64  # on the road at a time
    status_rate_per_s: float = 20.0  # GET /v1/transactions/{id} under one key
    status_burst: float = 40.0
    status_each: int = 4  # at a time
    administration_rate_per_s: float = 50.0  # of one operator; 64 KiB of body count as one more
    administration_burst: float = 100.0
    administration_each: int = 8  # at a time
    tenant_rate_per_s: float = 100.0  # of all who read for one merchant, or enrol for one party
    tenant_burst: float = 200.0
    tenant_each: int = 16  # at a time
    reading_rate_per_s: float = 1.0  # of readings over a whole book, in all
    reading_burst: float = 4.0
    stranger_rate_per_s: float = 20.0  # of one address without a key that is known
    stranger_burst: float = 60.0
    refusal_delay_ms: int = (
        1_000  # delay of a 429: an answer at once would bring the next request at once
    )
    identifiers_unsold_max: int = 200  # that one terminal presents without a sale to them
    identifiers_window_s: float = 600.0
    lookup_timeout_ms: int = 50
    lookup_rate_per_s: float = 5.0  # of misses a terminal, or an address whose key is not known
    lookup_burst: float = 20.0
    lookup_connections: int = 16  # to each service, for this purpose
    stranger_connections: int = 4
    status_connections: int = 8
    administration_connections: int = 8
    sign_in_connections: int = 4
    reading_connections: int = 1
    upload_connections: int = 2
    tables_map_gib: int = 64  # address space of the tables; the file grows only as it must

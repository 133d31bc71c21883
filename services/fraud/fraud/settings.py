"""Settings of fraud."""

from kit.base import settings


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """PEYVAND_<FIELD>. Rules and their thresholds are data, not settings."""

    occurred_age_max_h: int = 72  # a till's purchase or redemption older than this is declined
    review_h: int = 72  # an earning under review becomes available by itself after this
    clock_ahead_max_s: int = 10  # accepted_at ahead of the record's append time; not in a sandbox
    names_days: int = 400  # how long decisions are remembered
    names_seen_days: int = 30  # how long names are compared across shards
    windows_idle_h: int = 48  # a key that nothing touched for so long is forgotten

"""Disputes: opened by a party, answered by the other, decided by the network."""

from kit.room import Part, Resources
from merchants.disputes import jobs
from merchants.disputes.api import decisions, disputes, evidence
from merchants.disputes.domain.evidence import FILE_BYTES_MAX


def part(opened: Resources) -> Part:
    """Disputes of lines of closed windows."""
    return Part(
        name="disputes",
        routes=(disputes.router, decisions.router, evidence.router),
        body_bytes_max={evidence.PREFIX: FILE_BYTES_MAX},
        jobs=jobs.jobs(opened),
    )

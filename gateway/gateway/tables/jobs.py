"""Clock door of the tables: readiness is decided anew on a beat."""

from typing import Final

from gateway.tables.usecases import Readiness
from kit.room import Job

READINESS_EVERY_S: Final = 0.5


def jobs(readiness: Readiness) -> tuple[Job, ...]:
    """In every process: each has tables of its own."""
    return (Job(name="readiness", every_s=READINESS_EVERY_S, run=readiness.refresh, elected=False),)

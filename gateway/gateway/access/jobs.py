"""Clock door of access: the uses of sessions and keys are reported on a beat."""

from typing import Final

from gateway.access.usecases import OpenSessions, ProgramKeys
from kit.room import Job

REPORT_EVERY_S: Final = 1.0


def jobs(sessions: OpenSessions, programs: ProgramKeys) -> tuple[Job, ...]:
    """In every process: each has seen uses of its own."""
    reports = {"session-uses": sessions.report_uses, "api-key-uses": programs.report_uses}
    return tuple(
        Job(name=name, every_s=REPORT_EVERY_S, run=run, elected=False)
        for name, run in reports.items()
    )

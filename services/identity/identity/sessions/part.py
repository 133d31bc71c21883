"""Sessions, and the attempts to open one."""

from identity.sessions import api, jobs
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """Sessions of people who signed in."""
    return Part(
        name="sessions",
        routes=(api.router, api.internal),
        jobs=jobs.jobs(opened.database, opened.clock, opened.settings),
    )

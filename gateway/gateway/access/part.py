"""Callers: keys of terminals and operators, sessions of people, and the quotas of each."""

from gateway.access import jobs
from gateway.access.usecases import access_of, open_sessions_of, program_keys_of
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """No routes of its own; other parts use it. Raises ValueError for an operator misspelt."""
    opened.shared(access_of)
    reports = jobs.jobs(opened.shared(open_sessions_of), opened.shared(program_keys_of))
    return Part(name="access", jobs=reports)

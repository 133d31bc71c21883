"""Enrolling people, one by one or by the file."""

from kit.room import Part, Resources
from members import settings
from members.memberships import api
from members.terms import enrolment_terms


def part(opened: Resources) -> Part:
    """Enrolling people. Raises SettingsError for a key or a card prefix that does not read."""
    opened.shared(enrolment_terms)
    return Part(
        name="memberships",
        routes=(api.router,),
        body_bytes_max={api.IMPORT_PATH: settings.IMPORT_BYTES_MAX},
    )

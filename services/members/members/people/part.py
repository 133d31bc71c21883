"""A member as a person: name, language, consents, erasure."""

from kit.room import Part, Resources
from members.people import api, jobs
from members.terms import enrolment_terms


def part(opened: Resources) -> Part:
    """People, whose data comes under newer keys by itself."""
    key_set = opened.shared(enrolment_terms).key_set
    return Part(
        name="people",
        routes=(api.router,),
        jobs=jobs.jobs(opened.database, opened.clock, key_set),
    )

"""What the other nouns use of the tables: look-ups, readiness and versions in force."""

from gateway.tables.domain import in_force
from gateway.tables.usecases.identifier_keys import identifier_keys_of
from gateway.tables.usecases.lookups import Lookups, lookups_of
from gateway.tables.usecases.readiness import Readiness, readiness_of

__all__ = [
    "Lookups",
    "Readiness",
    "identifier_keys_of",
    "in_force",
    "lookups_of",
    "readiness_of",
]

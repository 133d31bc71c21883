"""The identity service: its parts."""

from pathlib import Path
from typing import Final

from identity.api_keys.part import part as api_keys
from identity.invitations.part import part as invitations
from identity.password_changes.part import part as passwords
from identity.proposals.part import part as proposals
from identity.second_factors.part import part as factors
from identity.sessions.part import part as sessions
from identity.settings import Settings
from identity.user_changes.part import part as changes
from identity.users.part import part as users
from kit.audit_trail import part as audit
from kit.room import Service

PARTS: Final = (
    *(users, factors, sessions, invitations, changes, passwords, api_keys, proposals),
    audit,
)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="identity", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

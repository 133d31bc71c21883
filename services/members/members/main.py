"""The members service: its parts."""

from pathlib import Path
from typing import Final

from kit.audit_trail import part as audit
from kit.room import Service
from members.account_status.part import part as account_status
from members.adjustments.part import part as adjustments
from members.balances.part import part as balances
from members.identifiers.part import part as identifiers
from members.memberships.part import part as memberships
from members.people.part import part as people
from members.settings import Settings

PARTS: Final = (memberships, identifiers, people, account_status, adjustments, balances, audit)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="members", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

"""The members service: its parts."""

from pathlib import Path
from typing import Final

from kit.audit import part as audit
from kit.room import Service
from members.balances.part import part as balances
from members.identifiers.part import part as identifiers
from members.memberships.part import part as memberships
from members.people.part import part as people
from members.settings import Settings
from members.standings.part import part as standings

PARTS: Final = (memberships, identifiers, people, standings, balances, audit)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="members", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

"""The merchants service: its parts."""

from pathlib import Path
from typing import Final

from kit.audit import part as audit
from kit.room import Service
from merchants.daily_totals.part import part as daily_totals
from merchants.parties.part import part as parties
from merchants.party_standings.part import part as party_standings
from merchants.programmes.part import part as programmes
from merchants.settings import Settings
from merchants.standings.part import part as standings
from merchants.terminals.part import part as terminals

PARTS: Final = (parties, terminals, standings, party_standings, programmes, daily_totals, audit)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="merchants", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

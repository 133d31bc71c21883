"""The ledger service: its parts."""

from pathlib import Path
from typing import Final

from kit.room import Service
from ledger.part import part as posting
from ledger.settings import Settings

PARTS: Final = (posting,)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="ledger", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

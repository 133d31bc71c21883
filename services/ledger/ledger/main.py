"""The ledger service: its parts."""

from pathlib import Path
from typing import Final

from kit.room import Service
from ledger.log.part import part as log
from ledger.posting.part import part as posting
from ledger.query.part import part as query
from ledger.settings import Settings

PARTS: Final = (posting, query, log)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="ledger", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

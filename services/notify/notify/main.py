"""The notify service: its parts."""

from pathlib import Path
from typing import Final

from kit.audit import part as audit
from kit.room import Service
from notify.part import part as messages
from notify.settings import Settings

PARTS: Final = (messages, audit)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="notify", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

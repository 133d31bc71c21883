"""The campaigns service: its parts."""

from pathlib import Path
from typing import Final

from campaigns.awards.part import part as awards
from campaigns.first_purchase.part import part as first_purchase
from campaigns.programmes.part import part as programmes
from campaigns.rules.part import part as rules
from campaigns.settings import Settings
from kit.audit_trail import part as audit
from kit.room import Service

PARTS: Final = (awards, rules, programmes, first_purchase, audit)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="campaigns", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

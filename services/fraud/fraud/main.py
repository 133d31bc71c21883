"""The fraud service: its parts, in the order in which they hear a topic."""

from pathlib import Path
from typing import Final

from fraud.alerts.part import part as alerts
from fraud.cases.part import part as cases
from fraud.declines.part import part as declines
from fraud.rules.part import part as rules
from fraud.screening.part import part as screening
from fraud.settings import Settings
from fraud.sums.part import part as sums
from fraud.terms.part import part as terms
from kit.audit_trail import part as audit
from kit.room import Service

PARTS: Final = (screening, rules, terms, cases, alerts, sums, declines, audit)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="fraud", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

"""The merchants service: its parts."""

from pathlib import Path
from typing import Final

from kit.audit_trail import part as audit
from kit.room import Service
from merchants.activation_codes.part import part as activation_codes
from merchants.clearing.part import part as clearing
from merchants.daily_totals.part import part as daily_totals
from merchants.disputes.part import part as disputes
from merchants.onboarding.part import part as onboarding
from merchants.parties.part import part as parties
from merchants.party_status.part import part as party_status
from merchants.programmes.part import part as programmes
from merchants.settings import Settings
from merchants.settlement.part import part as settlement
from merchants.statements.part import part as statements
from merchants.terminal_status.part import part as terminal_status
from merchants.terminals.part import part as terminals

PARTS: Final = (
    *(parties, terminals, terminal_status, party_status, programmes, onboarding, daily_totals),
    *(activation_codes, clearing, settlement, disputes, statements, audit),
)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="merchants", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

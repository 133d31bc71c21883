"""The notify service: its parts, in the order in which they hear a topic."""

from pathlib import Path
from typing import Final

from kit.audit_trail import part as audit
from kit.room import Service
from notify.contacts.part import part as contacts
from notify.receipts.part import part as receipts
from notify.sending.part import part as sending
from notify.settings import Settings
from notify.sms_queue.part import part as sms_queue
from notify.titles.part import part as titles
from notify.webhook_endpoints.part import part as webhook_endpoints
from notify.webhook_sending.part import part as webhook_sending
from notify.webhooks.part import part as webhooks

PARTS: Final = (
    *(contacts, titles, sms_queue, sending, receipts),
    *(webhook_endpoints, webhooks, webhook_sending, audit),
)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SERVICE: Final = Service(name="notify", settings=Settings, parts=PARTS, migrations=MIGRATIONS)

"""The settings of the notify process, and the numbers of queueing, sending and polling."""

from datetime import timedelta
from typing import Final

from kit.base import settings

# platform time, which runs a day in seconds in a sandbox: shorter lives would end there unsent
RECEIPT_LIFE: Final = timedelta(days=7)
NEWS_LIFE: Final = timedelta(days=30)  # credit issued, a reviewer's outcome, a changed identifier

BATCH_MAX: Final = 200  # the provider's limit of receptors a call
RUN_MESSAGES_MAX: Final = 10_000  # one run of the sender ends at the latest after so many
SEND_EVERY_S: Final = 0.5
SETTLE_EVERY_S: Final = 1.0
POLL_EVERY_S: Final = 2.0
POLL_IDS_MAX: Final = 500  # the provider's limit of ids a call
POLL_AGE_MIN: Final = timedelta(seconds=3)  # wall: callbacks come first
POLL_AGAIN_AFTER: Final = timedelta(seconds=30)
STATUS_HORIZON: Final = timedelta(hours=47)  # wall: the provider forgets after 48 h
LOCAL_HORIZON: Final = timedelta(hours=11)  # wall: and local ids after 12 h
PAUSE_FIRST_S: Final = 0.5
PAUSE_MAX_S: Final = 60.0
SEND_TIMEOUT_S: Final = 15.0
PAGE_MAX: Final = 200

ENDPOINTS_MAX: Final = 10  # of a merchant
SECRET_OVERLAP_MAX_S: Final = 30 * 86_400
WEBHOOK_EVERY_S: Final = 1.0
WEBHOOK_TIMEOUT_S: Final = 15.0
WEBHOOK_BODY_BYTES_MAX: Final = 20_000
WEBHOOK_ENDPOINTS_AT_ONCE: Final = 32  # one that hangs takes one place
WEBHOOK_TRIES_AT_ONCE: Final = 4  # of one endpoint
WEBHOOK_BATCH_MAX: Final = 40
REPLAY_EVENTS_MAX: Final = 10_000


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """The provider in Kavenegar's shape, the keys of sealed contacts, the secret of callbacks."""

    sms_url: str
    sms_api_key: str
    sms_sender: str
    contact_keys: tuple[str, ...]  # as members has them: 32 bytes, base64, the newest first
    callback_secret: str
    sms_segment_price_rial: int = 1_180
    webhook_local: bool = False  # a local cluster: endpoints on this machine, without TLS
    support_phone: str = ""  # whom to call, in texts that refuse something; digits as dialled

"""What a merchant's program does with a webhook before it believes it (Standard Webhooks 1.0.0)."""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from peyvand.errors import PeyvandError

TOLERANCE: Final = timedelta(minutes=5)
_PREFIX: Final = "whsec_"


class BadSignature(PeyvandError):
    """A request that did not come from the platform, was changed, or is old: answer it 400."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that was verified.

    id: the same whenever it is sent again; whoever has dealt with it answers 204 and does nothing.
    type, timestamp, data: as the body has them; timestamp: of the event, not of this try.
    """

    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any]


def verify_webhook(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance: timedelta = TOLERANCE,
    now: datetime | None = None,
) -> Webhook:
    """The webhook in a request.

    secrets: `whsec_…`, all that are in use (two while one is replaced). headers: of the request, in
    any case. body: its bytes as they came, neither parsed nor written anew. Raises BadSignature.
    """
    named = {name.lower(): value for name, value in headers.items()}
    message, sent_at = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if not message or not sent_at.isascii() or not sent_at.isdigit() or len(sent_at) > 12:
        raise BadSignature("webhook-id or webhook-timestamp is missing")
    age = (now or datetime.now(UTC)) - datetime.fromtimestamp(int(sent_at), UTC)
    if abs(age) > tolerance:
        raise BadSignature("the request is too old, or this machine's clock is wrong")
    content = f"{message}.{sent_at}.".encode() + body
    signatures = [
        part[3:] for part in named.get("webhook-signature", "").split() if part[:3] == "v1,"
    ]
    expected = [_signature(secret, content) for secret in secrets]
    # bytes: compare_digest takes no text beyond ASCII, and a header is anybody's
    if not any(hmac.compare_digest(e.encode(), s.encode()) for e in expected for s in signatures):
        raise BadSignature("no signature fits; compare the secret, and verify the body as it came")
    return _webhook(message, body)


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, content, "sha256")).decode()


def _webhook(message: str, body: bytes) -> Webhook:
    fields = json.loads(body)
    at = datetime.fromisoformat(fields["timestamp"])
    return Webhook(message, fields["type"], at, fields["data"])

"""A webhook is believed only where its signature and time are right."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Official

from peyvand import BadSignature, PeyvandError, verify_webhook

pytestmark = pytest.mark.SH14
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
BODY = (
    '{"type":"transaction.completed","timestamp":"2026-03-21T08:00:00Z",'
    '"data":{"merchant":5,"fa":"نان"}}'
).encode()


def _headers(secret: str = SECRET, body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    return {
        "Webhook-Id": "m-1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Official(secret).sign("m-1", at, body.decode()),
    }


def test_what_the_official_library_signs_is_verified() -> None:
    webhook = verify_webhook([SECRET], _headers(), BODY, now=NOW)
    assert (webhook.id, webhook.type, webhook.timestamp) == ("m-1", "transaction.completed", NOW)
    assert webhook.data == {"merchant": 5, "fa": "نان"}
    later = NOW + timedelta(minutes=4)
    assert verify_webhook([OTHER, SECRET], _headers(), BODY, now=later) == webhook


def test_two_signatures_of_an_overlap() -> None:
    both = _headers(OTHER)
    both["Webhook-Signature"] += " " + _headers()["Webhook-Signature"]
    for secret in (SECRET, OTHER):
        assert verify_webhook([secret], both, BODY, now=NOW).id == "m-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"Webhook-Id": "m-2"},
        {"Webhook-Id": ""},
        {"Webhook-Timestamp": "1774080001"},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "۱۷۷۴۰۸۰۰۰۰"},
        {"Webhook-Timestamp": "9" * 30},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,ناشناس"},
        {"Webhook-Signature": "v1a,abcd v2,abcd"},
    ],
)
def test_other_headers_are_refused(changed: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        verify_webhook([SECRET], _headers() | changed, BODY, now=NOW)


def test_other_bodies_secrets_and_times_are_refused() -> None:
    for secrets, body, now in (
        ([SECRET], BODY + b" ", NOW),
        ([SECRET], b"", NOW),
        ([OTHER], BODY, NOW),
        ([], BODY, NOW),
        ([SECRET], BODY, NOW + timedelta(minutes=6)),
        ([SECRET], BODY, NOW - timedelta(minutes=6)),
    ):
        with pytest.raises(BadSignature):
            verify_webhook(secrets, _headers(), body, now=now)
    assert issubclass(BadSignature, PeyvandError)

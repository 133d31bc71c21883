"""Which addresses are taken, what is signed, and when a delivery is tried again."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from contracts.values import Kind, Status
from kit.base import clock
from notify.webhook_endpoints import domain as endpoints
from notify.webhook_endpoints.domain import BadUrl, EventType
from notify.webhooks import domain
from notify.webhooks.domain import Answer, DueDelivery

from .conftest import NOW, ROOT, Samples

pytestmark = pytest.mark.SH14
SECRET = bytes(range(32))
OTHER = bytes(range(32, 64))
MESSAGE = "6f0c3c1e-6b7b-5d0e-9f3a-0c2f3a4b5c6d"

# ------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/peyvand",
        "https://shop.example:8443/p?shop=5&lang=fa",
        "https://xn--mgba3a4f16a.example/",
        "https://a.b.example.",
    ],
)
def test_public_addresses_are_taken(url: str) -> None:
    assert endpoints.checked_url(url, local=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://shop.example:22/",
        "https://shop.example:70000/",
        "https://user:secret@shop.example/",
        "https://shop.example/#part",
        "https://localhost/",
        "https://gateway/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://8.8.8.8/",
        "https://shop.example/a b",
        "https://shop.example/\r\nx: y",
        "https://فروشگاه.example/",
        "https:///path",
        "shop.example",
        "https://shop.example/" + "a" * 500,
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadUrl):
        endpoints.checked_url(url, local=False)


def test_a_local_cluster_sends_to_its_own_machine() -> None:
    url = "http://127.0.0.1:8000/hook"
    assert endpoints.checked_url(url, local=True) == url
    with pytest.raises(BadUrl):
        endpoints.checked_url("file:///etc/passwd", local=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2a00:1450:4001:831::200e", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  an address to refuse
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", False),
        ("2002:0a00:0001::", False),
        ("64:ff9b::a00:1", False),
    ],
)
def test_only_the_public_network_is_reached(address: str, public: bool) -> None:
    assert endpoints.is_public(address) is public


def test_a_secret_opens_for_its_endpoint_alone() -> None:
    ring = endpoints.ring_of((ROOT,))
    one, other = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
    sealed = endpoints.seal(SECRET, endpoint=one, nonce=bytes(12), ring=ring)
    assert endpoints.unseal(sealed, endpoint=one, ring=ring) == SECRET
    with pytest.raises(ValueError, match="does not open"):
        endpoints.unseal(sealed, endpoint=other, ring=ring)


# ------------------------------------------------------------------------------------- signatures


def test_the_official_library_verifies_what_is_signed() -> None:
    body = '{"type":"endpoint.test","fa":"آزمایش"}'
    headers = domain.signed_headers(MESSAGE, body.encode(), [SECRET], clock.wall())
    text = endpoints.secret_text(SECRET)
    assert Webhook(text).verify(body, headers) == {"type": "endpoint.test", "fa": "آزمایش"}
    for changed in (body.replace("test", "tests"), body + " "):
        with pytest.raises(WebhookVerificationError):
            Webhook(text).verify(changed, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(text).verify(body, headers | {"webhook-id": MESSAGE.replace("6f", "7f")})


def test_the_time_is_the_world_s_in_whatever_zone_it_is_written() -> None:
    tehran = datetime.fromisoformat("2026-03-21T11:30:00+03:30")
    in_utc = domain.signed_headers(MESSAGE, b"{}", [SECRET], tehran.astimezone(UTC))
    assert domain.signed_headers(MESSAGE, b"{}", [SECRET], tehran) == in_utc
    assert in_utc["webhook-timestamp"] == "1774080000"


def test_while_secrets_overlap_each_verifies() -> None:
    headers = domain.signed_headers(MESSAGE, b"{}", [SECRET, OTHER], clock.wall())
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (SECRET, OTHER):
        Webhook("whsec_" + base64.b64encode(secret).decode()).verify("{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(bytes(32)).decode()).verify("{}", headers)


# ----------------------------------------------------------------------------------------- events


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, EventType.TRANSACTION_COMPLETED),
        ({"status": Status.UNDER_REVIEW}, EventType.TRANSACTION_UNDER_REVIEW),
        ({"status": Status.DECLINED}, EventType.TRANSACTION_DECLINED),
        ({"status": Status.REFUSED}, EventType.TRANSACTION_DECLINED),
        ({"kind": Kind.REDEMPTION}, EventType.TRANSACTION_COMPLETED),
        ({"command": "release-pending.v1", "kind": None}, EventType.POINTS_RELEASED),
        ({"command": "cancel-pending.v1", "kind": None}, EventType.POINTS_CANCELLED),
        (
            {"command": "cancel-pending.v1", "kind": None, "status": Status.DECLINED},
            None,
        ),
        ({"command": "issue-value.v1", "kind": None}, None),
        ({"silent": True}, None),
        ({"merchant": 0}, None),
    ],
)
def test_what_a_merchant_is_told(fields: dict[str, Any], kind: EventType | None) -> None:
    merged: dict[str, Any] = {"merchant": 5} | fields
    outcome = Samples().outcome(1, **merged)
    assert domain.type_of(outcome) == kind


def test_an_event_is_the_same_bytes_whenever_it_is_made() -> None:
    outcome = Samples().outcome(1, merchant=5, answer=msgspec.Raw(b'{"points_earned":3}'))
    event = domain.event_of(3, outcome, EventType.TRANSACTION_COMPLETED)
    assert domain.event_of(3, outcome, EventType.TRANSACTION_COMPLETED) == event
    body = msgspec.json.decode(event.body)
    assert body["type"] == "transaction.completed"
    assert body["timestamp"] == NOW.isoformat().replace("+00:00", "Z")
    assert body["data"]["answer"] == {"points_earned": 3}
    assert body["data"]["transaction"] == event.cause
    assert "." not in event.message
    assert "member" not in body["data"]
    assert "account" not in body["data"]


def test_a_long_answer_is_left_out() -> None:
    long = msgspec.Raw(b'"' + b"a" * 20_000 + b'"')
    outcome = Samples().outcome(1, merchant=5, answer=long)
    event = domain.event_of(3, outcome, EventType.TRANSACTION_COMPLETED)
    assert msgspec.json.decode(event.body)["data"]["answer"] is None
    assert len(event.body) < 1_000


# ---------------------------------------------------------------------------------------- retries


def _due(attempts: int) -> DueDelivery:
    return DueDelivery(delivery=1, message=MESSAGE, body="{}", attempts=attempts, first_at=NOW)


def test_fifteen_tries_end_within_three_days() -> None:
    at, failed, offsets = NOW, Answer(500), []
    for attempts in range(1, domain.ATTEMPTS_MAX):
        later = domain.next_try(_due(attempts), failed, at)
        assert later is not None
        offsets.append(later - at)
        at = later
    assert domain.ATTEMPTS_MAX == 15
    assert domain.next_try(_due(15), failed, at) is None
    assert timedelta(hours=70) < at - NOW <= timedelta(hours=72)
    assert all(
        planned <= offset <= planned * 1.02
        for planned, offset in zip(domain.RETRY_AFTER, offsets, strict=True)
    )


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        (Answer(429, retry_after=timedelta(seconds=900)), 900),
        (Answer(503, retry_after=timedelta(seconds=1)), 5),
        (Answer(503, retry_after=timedelta(days=9)), 86_400),
        (Answer(400, retry_after=timedelta(seconds=900)), 5),
        (Answer(302), 5),
        (Answer(0, "timed-out"), 5),
    ],
)
def test_an_endpoint_that_asks_for_time_has_it(answer: Answer, wait_s: int) -> None:
    at = domain.next_try(_due(1), answer, NOW)
    assert at is not None
    assert wait_s <= (at - NOW).total_seconds() <= wait_s * 1.02


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("120", 120),
        ("0", 0),
        ("Sat, 21 Mar 2026 08:02:00 GMT", 120),
        ("Sat, 21 Mar 2026 07:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("۱۲۰", None),
        ("1" * 12, None),
        (None, None),
    ],
)
def test_a_retry_after_is_read(text: str | None, wait_s: int | None) -> None:
    wait = None if wait_s is None else timedelta(seconds=wait_s)
    assert domain.parse_retry_after(text, NOW) == wait

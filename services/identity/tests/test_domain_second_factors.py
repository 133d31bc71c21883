"""One-time codes as RFC 6238 has them, each good once; recovery codes as people copy them."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.second_factors import domain
from identity.second_factors.domain import CodeRefused, EnrolmentTooLate

SECRET = b"12345678901234567890"  # of RFC 6238, appendix B
NOW = datetime(2026, 3, 21, 8, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
     (2000000000, "279037")],
)  # fmt: skip
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert domain.code_at(SECRET, seconds // 30) == code


@pytest.mark.parametrize("around", [-1, 0, 1])
def test_a_code_is_good_a_step_before_and_after_its_time(around: int) -> None:
    code = domain.code_at(SECRET, STEP + around)
    assert domain.match_step(SECRET, code, NOW, 0) == STEP + around


@pytest.mark.parametrize("around", [-2, 2, 100])
def test_a_code_of_another_time_is_none(around: int) -> None:
    assert domain.match_step(SECRET, domain.code_at(SECRET, STEP + around), NOW, 0) is None


def test_a_code_is_good_once_and_none_before_it_afterwards() -> None:
    now, before = domain.code_at(SECRET, STEP), domain.code_at(SECRET, STEP - 1)
    assert domain.match_step(SECRET, now, NOW, STEP) is None
    assert domain.match_step(SECRET, before, NOW, STEP) is None
    later = NOW + timedelta(seconds=30)
    assert domain.match_step(SECRET, domain.code_at(SECRET, STEP + 1), later, STEP) == STEP + 1


def test_an_authenticator_reads_the_uri() -> None:
    uri = domain.uri_of(SECRET, "ali@example.org")
    assert uri.startswith("otpauth://totp/Peyvand:ali%40example.org?")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in uri
    assert "issuer=Peyvand" in uri


def test_codes_are_folded_as_people_type_them() -> None:
    assert domain.fold(" ۱۲۳ ۴۵۶ ") == "123456"
    assert domain.fold("abcd-efgh-2345-wxyz") == "ABCDEFGH2345WXYZ"
    for bad in ("", "12345", "1234567", "abcd-efgh", "ABCDEFGH2345WXY1", "123456\x00"):
        with pytest.raises(CodeRefused):
            domain.fold(bad)


def test_a_recovery_code_reads_back_however_it_is_copied() -> None:
    code = domain.recovery_code(bytes(range(10)))
    assert code == "AAAQ-EAYE-AUDA-OCAJ"
    copied = code.replace("-", " ").lower()
    assert domain.recovery_digests([code]) == domain.recovery_digests([copied])


def test_a_first_factor_comes_soon_after_an_invitation() -> None:
    domain.refuse_late(NOW - timedelta(seconds=60), NOW, within_s=60)
    for accepted_at in (None, NOW - timedelta(seconds=61)):
        with pytest.raises(EnrolmentTooLate):
            domain.refuse_late(accepted_at, NOW, within_s=60)

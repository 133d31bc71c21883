"""Rules of sessions: tokens, and how long to wait after failures."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from identity.sessions import domain
from identity.sessions.domain import Attempt, Failures

NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)


def ago(seconds: int) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_a_token_holds_the_id_and_the_secret_alone() -> None:
    token = domain.token_of("018f0c7e-2b1a-7c3d-9e4f-5a6b7c8d9e0f", "se_cret")
    assert token == "pvs_018f0c7e2b1a7c3d9e4f5a6b7c8d9e0f_se_cret"
    assert domain.digest("se_cret") not in token


def test_below_every_limit_nobody_waits() -> None:
    failures = (Failures(4, ago(10)), Failures(19, ago(800)), Failures(0, None))
    assert domain.wait_s(failures, (5, 20, 50), NOW, window_s=900) == 0


def test_at_a_limit_one_waits_until_the_oldest_counts_no_more() -> None:
    failures = (Failures(5, ago(100)), Failures(20, ago(850)), Failures(7, ago(850)))
    assert domain.wait_s(failures, (5, 20, 50), NOW, window_s=900) == 801
    assert domain.wait_s(failures, (6, 20, 50), NOW, window_s=900) == 51


@given(st.integers(0, 900), st.integers(0, 60))
def test_whoever_waits_as_told_is_let_through_then(age: int, count: int) -> None:
    failures = (Failures(count, ago(age) if count else None),)
    wait_s = domain.wait_s(failures, (5,), NOW, window_s=900)
    assert (wait_s > 0) is (count >= 5)
    assert 0 <= wait_s <= 901
    assert wait_s == 0 or NOW + timedelta(seconds=wait_s) > ago(age) + timedelta(seconds=900)


def test_no_login_is_kept_of_an_attempt() -> None:
    attempt = Attempt("+989123456789", "10.0.0.1", NOW)
    assert len(attempt.login_sha256) == 32
    assert attempt.login_sha256 == Attempt("+989123456789", "10.0.0.9", ago(5)).login_sha256

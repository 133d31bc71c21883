"""Rules of passwords: long, not the commonest, not the login; nothing about what they hold."""

import unicodedata

import pytest

from identity.passwords import domain
from identity.passwords.domain import WeakPassword

LOGIN = "+989123456789"


@pytest.mark.parametrize(
    "password",
    ["twelve chars", "x" * 125 + "yz!", "چهار کلمهٔ بی‌ربط", "correct horse battery",
     "            a b c", "🙂🙃😉🙂🙃😉🙂🙃😉🙂🙃😉"],
)  # fmt: skip
def test_any_long_password_is_good_whatever_it_holds(password: str) -> None:
    assert domain.checked(password, LOGIN) == unicodedata.normalize("NFKC", password)


@pytest.mark.parametrize(
    "password",
    ["eleven char", "", "x" * 126 + "yz!", "1234567890123", "۱۲۳۴۵۶۷۸۹۰۱۲", "PassWord1234",
     "password 1234", "aaaaaaaaaaaaa", "abababababab", "qwertyuiop12", "+989123456789",
     "0989123456789", "۹۸۹۱۲۳۴۵۶۷۸۹", "good enough\x00here", "peyvandpeyvand"],
)  # fmt: skip
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        domain.checked(password, LOGIN if password != "0989123456789" else password)


def test_an_email_is_no_password_of_its_user() -> None:
    with pytest.raises(WeakPassword):
        domain.checked("Ali.Rezaei@Example.org", "ali.rezaei@example.org")
    assert domain.checked("Ali.Rezaei@Example.org", "other@example.org")


def test_ways_to_type_one_password_are_one() -> None:
    """A keyboard may compose letters or not, and give wide digits (NFKC)."""
    assert domain.normalised("کافه۱\u06c0") == domain.normalised("کافه۱\u06d5\u0654")
    assert domain.normalised("ＡＢＣ") == "ABC"


def test_the_length_is_that_after_normalisation() -> None:
    assert domain.checked("ﬃ" * 4 + "xyz", LOGIN) == "ffi" * 4 + "xyz"
    with pytest.raises(WeakPassword):
        domain.checked("ﷺ" * 10 + "x", LOGIN)  # a hundred and eighty letters when written out


def test_the_list_of_the_commonest_is_of_passwords_that_are_long_enough() -> None:
    assert len(domain.commonest()) > 500
    assert all(len(password) >= 8 for password in domain.commonest())

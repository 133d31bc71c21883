"""Rules of users: the spelling of a login, and what each grant comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.users import domain
from identity.users.domain import BadGrant, BadLogin, Staff
from kit.base.auth import Role

# what a session of each may do: with a password alone, and what a second factor adds
NETWORK = {
    "auditor": True,
    "partners": True,
    "support": True,
    "terminals": False,
    "money": False,
    "enrol": False,
    "rules": False,
    "history": False,
    "reviewer": False,
    "users": False,
}
STAFF = {
    "owner:5": {"merchant:5"},
    "manager:5": {"merchant:5"},
    "cashier:5": {"merchant:5"},
    "accountant:2147483647": {"merchant:2147483647"},
}


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("09123456789", "+989123456789"),
        ("۰۹۱۲ ۳۴۵ ۶۷۸۹", "+989123456789"),
        ("٠٩١٢٣٤٥٦٧٨٩", "+989123456789"),
        ("+98 912 345 6789", "+989123456789"),
        (" Ali.R@Example.ORG ", "ali.r@example.org"),
        ("ali۲@example.org", "ali2@example.org"),
    ],
)
def test_a_login_has_one_spelling(text: str, login: str) -> None:
    assert domain.fold_login(text) == login
    assert domain.fold_login(login) == login


@pytest.mark.parametrize(
    "text",
    ["", "ali", "ali@", "@example.org", "a@b", "a b@example.org", "02188776655", "0912345678",
     "x" * 65 + "@example.org", "a@" + "b" * 250 + ".org", "a@example.org\x00", "علی@example.org"],
)  # fmt: skip
def test_what_is_no_login_is_refused(text: str) -> None:
    with pytest.raises(BadLogin):
        domain.fold_login(text)


@pytest.mark.parametrize("text", ["boss", "owner", "owner:", "owner:0", "owner:05", "owner:-1",
                                  "owner:2147483648", "merchant:5", "service", "person",
                                  "stranger", "enrol:5", "Money", "", "money\x00"])  # fmt: skip
def test_what_is_no_grant_is_refused(text: str) -> None:
    with pytest.raises(BadGrant):
        domain.checked_grants([text])


def test_grants_are_in_order_and_each_once_in_digits_of_any_script() -> None:
    assert domain.checked_grants(["support", "owner:۵", "owner:5"]) == ("owner:5", "support")
    with pytest.raises(BadGrant):
        domain.checked_grants([f"owner:{number}" for number in range(1, 34)])


def test_every_role_stands_in_the_table() -> None:
    assert set(NETWORK) == {role.value for role in Role}
    assert {grant.partition(":")[0] for grant in STAFF} == set(Staff)


@pytest.mark.parametrize(("role", "by_password"), NETWORK.items())
def test_what_a_password_alone_opens(role: str, by_password: bool) -> None:
    roles, withheld = domain.split_roles([role], second_factor=False)
    assert (roles, withheld) == (([role], []) if by_password else ([], [role]))
    assert domain.split_roles([role], second_factor=True) == ([role], [])


@pytest.mark.parametrize(("grant", "roles"), STAFF.items())
def test_a_merchants_staff_read_that_merchants_own(grant: str, roles: set[str]) -> None:
    assert domain.roles_of([grant]) == roles
    assert domain.split_roles([grant], second_factor=False) == (sorted(roles), [])


@given(st.sets(st.sampled_from([*NETWORK, *STAFF])), st.booleans())
def test_a_session_never_has_more_than_its_grants(grants: set[str], second_factor: bool) -> None:
    roles, withheld = domain.split_roles(grants, second_factor=second_factor)
    assert set(roles) | set(withheld) == domain.roles_of(grants)
    assert not set(roles) & set(withheld)
    assert second_factor is False or not withheld

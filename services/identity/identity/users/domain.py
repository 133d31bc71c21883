"""Rules of users: how a login is spelled, and what a grant allows."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts import members
from contracts.members import IdentifierKind
from contracts.text import fold_code
from identity.settings import GRANTS_MAX, LOGIN_LENGTH_MAX
from kit.base import errors
from kit.base.auth import MERCHANT, Role

_EMAIL: Final = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_OF_MERCHANT: Final = re.compile(r"([a-z]+):([1-9][0-9]{0,9})")
_MERCHANT_MAX: Final = 2**31 - 1


class Staff(StrEnum):
    """What people of a merchant are; a grant names the merchant, such as owner:5."""

    OWNER = "owner"
    MANAGER = "manager"
    CASHIER = "cashier"
    ACCOUNTANT = "accountant"


# What a session of each may do, as the gateway and the services know it: the one table of it.
# A merchant's staff read that merchant's own; nothing that they may write exists yet.
STAFF_ROLES: Final[Mapping[Staff, tuple[str, ...]]] = {
    Staff.OWNER: (MERCHANT,),
    Staff.MANAGER: (MERCHANT,),
    Staff.CASHIER: (MERCHANT,),
    Staff.ACCOUNTANT: (MERCHANT,),
}
# Rights that move value, decide whose it is, or give rights: only with a second factor.
SECOND_FACTOR_ROLES: Final[frozenset[str]] = frozenset(
    {
        Role.TERMINALS,  # keys that post, and the stopping of shops
        Role.MONEY,
        Role.ENROL,  # whose account a card means
        Role.RULES,  # what a purchase earns
        Role.HISTORY,  # purchases of the past earn
        Role.REVIEWER,
        Role.USERS,
    }
)


class BadLogin(errors.Invalid):
    """Neither a mobile number nor an e-mail."""

    code = "bad-login"
    fa = "نام ورود باید شمارهٔ موبایل یا نشانی ایمیل باشد."


class BadGrant(errors.Invalid):
    """A grant that is neither a role of the network nor one at a merchant."""

    code = "bad-grant"
    fa = (
        "این حق شناخته نیست؛ نقشی از شبکه یا نقشی در فروشگاه، مانند owner و شمارهٔ فروشگاه، بنویسید."
    )


class LoginTaken(errors.Conflict):
    """Another user has this login."""

    code = "login-taken"
    fa = "کاربر دیگری با همین شمارهٔ موبایل یا ایمیل ثبت شده است."


class Standing(StrEnum):
    """Whether a user has a password yet, and may sign in."""

    INVITED = "invited"
    ACTIVE = "active"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in.

    first_grants: as he was registered. accepted_at: when the last invitation was accepted.
    """

    user: str
    login: str
    name_fa: str
    name_en: str
    grants: tuple[str, ...]
    first_grants: tuple[str, ...]
    created_at: datetime
    stopped: bool = False
    accepted_at: datetime | None = None

    @property
    def standing(self) -> Standing:
        """Where the user stands."""
        if self.stopped:
            return Standing.STOPPED
        return Standing.INVITED if self.accepted_at is None else Standing.ACTIVE

    def is_repeat(self, other: "User") -> bool:
        """Whether another registers the same user, whatever became of this one since."""
        mine = (self.login, self.name_fa, self.name_en, self.first_grants)
        return mine == (other.login, other.name_fa, other.name_en, other.first_grants)


def fold_login(text: str) -> str:
    """The one spelling of a login: a mobile in E.164, or an e-mail in small letters.

    Digits of every script are the same, and so are capital and small letters. Raises BadLogin.
    """
    try:
        folded = fold_code(text)
        if "@" in folded:
            email = folded.lower()
            if len(email) > LOGIN_LENGTH_MAX or _EMAIL.fullmatch(email) is None:
                raise BadLogin("not an e-mail address; write it as name@example.org")
            return email
        return members.canonical(IdentifierKind.MOBILE, text)
    except ValueError as error:
        raise BadLogin(f"{error}; write a mobile number or an e-mail address") from error


def checked_grants(grants: Iterable[str]) -> tuple[str, ...]:
    """Grants in order, each once. Raises BadGrant."""
    folded = {fold_grant(grant) for grant in grants}
    if len(folded) > GRANTS_MAX:
        raise BadGrant(f"at most {GRANTS_MAX} grants; give fewer")
    return tuple(sorted(folded))


def fold_grant(text: str) -> str:
    """A role of the network, or `owner:5`; digits of every script. Raises BadGrant."""
    try:
        grant = fold_code(text)
    except ValueError as error:
        raise BadGrant(str(error)) from error
    if grant in frozenset(Role):
        return grant
    match = _OF_MERCHANT.fullmatch(grant)
    if match is None or match[1] not in frozenset(Staff) or int(match[2]) > _MERCHANT_MAX:
        raise BadGrant(f"{grant[:40]!r} is no grant: a role, or owner:5, cashier:5 and the like")
    return grant


def roles_of(grants: Iterable[str]) -> frozenset[str]:
    """The roles that grants come to, as `kit.base.auth` knows them."""
    roles: set[str] = set()
    for grant in grants:
        staff, _, merchant = grant.partition(":")
        roles |= (
            {f"{role}{merchant}" for role in STAFF_ROLES[Staff(staff)]} if merchant else {grant}
        )
    return frozenset(roles)


def split_roles(grants: Iterable[str], *, second_factor: bool) -> tuple[list[str], list[str]]:
    """Roles of a session, and those that are withheld for want of a second factor; in order."""
    roles = roles_of(grants)
    withheld = [role for role in sorted(roles) if role in SECOND_FACTOR_ROLES and not second_factor]
    return sorted(roles.difference(withheld)), withheld

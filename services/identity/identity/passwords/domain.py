"""Rules of passwords: long, not the commonest, and nothing else (NIST SP 800-63B, 3.1.1)."""

import unicodedata
from functools import cache
from importlib import resources
from typing import Final

from contracts.values import ascii_digits, storable
from kit.base import errors

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 128
_COMMONEST: Final = "commonest.txt"  # of our own making: what people type when twelve are asked for


class WeakPassword(errors.Invalid):
    """A password that is too short, too long, too common, or the login itself."""

    code = "weak-password"
    fa = "گذرواژه باید ۱۲ تا ۱۲۸ نویسه باشد و از پرکاربردترین‌ها یا همان نام ورود نباشد."


def checked(password: str, login: str) -> str:
    """A new password in the form that is hashed (NFKC). login: folded. Raises WeakPassword.

    Any letters of any script, blanks too; no rule of what it is made of.
    """
    normal = normalised(password)
    if len(normal) < LENGTH_MIN:
        raise WeakPassword(f"under {LENGTH_MIN} characters; a sentence of a few words is better")
    if len(normal) > LENGTH_MAX:
        raise WeakPassword(f"over {LENGTH_MAX} characters; take a shorter one")
    plain = _plain(normal)
    if plain in _logins(login):
        raise WeakPassword("this is the login itself; take something that nobody knows")
    if len(set(plain)) < 3 or plain in commonest():
        raise WeakPassword("one of the commonest; take something that nobody else would")
    return normal


def normalised(password: str) -> str:
    """The form of a password that is hashed: one for all ways to type it (NFKC).

    Raises WeakPassword on U+0000, lone surrogates, and over 30 combining marks in a row.
    """
    if not storable(password):
        raise WeakPassword("U+0000 and lone surrogates are not text; remove them")
    return unicodedata.normalize("NFKC", password)


@cache
def commonest() -> frozenset[str]:
    """The commonest passwords in the form that they are compared in."""
    text = resources.files("identity.passwords").joinpath(_COMMONEST).read_text("utf-8")
    return frozenset(_plain(line) for line in text.splitlines() if line)


def _plain(password: str) -> str:
    """As it is compared: without capitals and blanks, digits of every script the same."""
    return ascii_digits("".join(password.split())).casefold()


def _logins(login: str) -> frozenset[str]:
    """Spellings of a login that are no secret."""
    national = "0" + login.removeprefix("+98")
    return frozenset(_plain(text) for text in (login, national, login.removeprefix("+")))

"""Errors of several nouns: ids that are taken or unknown."""

from kit.base import errors


class Differs(errors.Invalid):
    """The caller's id was used with another body."""

    code = "already-exists-differently"
    fa = "چیز دیگری با همین شناسه ثبت شده است؛ شناسهٔ تازه‌ای بسازید."


class Unknown(errors.NotFound):
    """A user, session or second factor that does not exist, or is another's."""


class UserStopped(errors.Conflict):
    """Nothing is issued to a user who is stopped."""

    code = "user-stopped"
    fa = "این کاربر متوقف است؛ نخست او را باز کنید."

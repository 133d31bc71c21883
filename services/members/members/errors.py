"""Errors of all nouns: ids that are taken or unknown."""

from kit.base import errors


class Differs(errors.Invalid):
    """The caller's id was used with another body."""

    code = "already-exists-differently"
    fa = "درخواست دیگری با همین شناسه ثبت شده است؛ شناسهٔ تازه‌ای بسازید."


class Unknown(errors.NotFound):
    """A member, account or identifier that does not exist."""

"""Errors of all nouns: ids that are taken or unknown."""

from kit.base import errors


class Differs(errors.Invalid):
    """The caller's id was used with another body."""

    code = "already-exists-differently"
    fa = "چیز دیگری با همین شماره ثبت شده است؛ شمارهٔ دیگری برگزینید."


class Unknown(errors.NotFound):
    """A party, merchant, branch, terminal, key or version that nobody registered."""

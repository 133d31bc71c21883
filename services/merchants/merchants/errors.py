"""Rules that all nouns of the room share: ids that are taken or unknown."""

from kit.base import errors


class Differs(errors.Invalid):
    """The caller's id is taken by something else."""

    code = "already-exists-differently"
    fa = "چیز دیگری با همین شماره ثبت شده است؛ شمارهٔ دیگری برگزینید."


class Unknown(errors.NotFound):
    """A party, merchant, branch, terminal, key or version that nobody registered."""

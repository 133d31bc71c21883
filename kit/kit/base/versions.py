"""Effective-dated documents: numbered from 1 without a gap, never changed, each from its own time.

A noun keeps its versions in a table of its own and asks here what may be added, what is in force.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from kit.base import errors


class AlreadyExistsDifferently(errors.Invalid):
    """The number is taken by a version with another body."""

    code = "already-exists-differently"
    fa = "این نسخه با محتوای دیگری ثبت شده است؛ نسخه‌ها تغییر نمی‌کنند، نسخهٔ بعدی را ثبت کنید."


class VersionNotNext(errors.Conflict):
    """The number does not follow the newest one; `expected` is the one that does."""

    code = "version-not-next"
    fa = "شمارهٔ نسخه باید یکی بیشتر از نسخهٔ پیشین باشد."


class EffectiveTooSoon(errors.Invalid):
    """A version would take effect before the preceding one, or before services can know of it."""

    code = "effective-too-soon"
    fa = (
        "زمان اجرای نسخه باید پس از نسخهٔ پیشین باشد و فرصت رسیدن به همهٔ درگاه‌ها را بدهد؛"
        " زودترین زمان در detail آمده است."
    )


class Versioned(Protocol):
    """What every version of a document has. effective_from: aware, inclusive."""

    @property
    def version(self) -> int: ...
    @property
    def effective_from(self) -> datetime: ...


class Newest(NamedTuple):
    """Number and start of the newest version of a document, where its body is not needed."""

    version: int
    effective_from: datetime


D = TypeVar("D", bound=Versioned)


def is_new(
    draft: D,
    existing: D | None,
    newest: Versioned | None,
    *,
    earliest: datetime | None = None,
    backdated: bool = False,
) -> bool:
    """Whether a draft is to be added; False where the same version exists already.

    existing: the stored version with the draft's number. newest: the one with the highest number.
    The caller holds a lock on the document. A version takes effect no earlier than the newest one,
    and no earlier than `earliest` where that is given. Neither binds the first version, nor a
    backdated one: a history that is imported later may need a version from before all others.
    Raises AlreadyExistsDifferently, VersionNotNext, EffectiveTooSoon.
    """
    if existing is not None:
        if existing != draft:
            raise AlreadyExistsDifferently(f"version {draft.version} exists with another body")
        return False
    expected = 1 if newest is None else newest.version + 1
    if draft.version != expected:
        raise VersionNotNext(f"the next version is {expected}; send that", expected=expected)
    if newest is None or backdated:
        return True
    first = max(newest.effective_from, earliest or newest.effective_from)
    if draft.effective_from < first:
        raise EffectiveTooSoon(f"effective_from must be at {first.isoformat()} or later")
    return True


def latest_first(versions: Iterable[D]) -> list[D]:
    """Versions of one document in the order in which in_force looks at them."""
    return sorted(versions, key=lambda one: (one.effective_from, one.version), reverse=True)


def in_force(in_order: Iterable[D], at: datetime) -> D | None:
    """The version in force at a time: of those that have started, the one that started last.

    Of two that start together the higher number wins. in_order: as latest_first gives them;
    where no version is backdated, that is from the highest number down.
    """
    for one in in_order:
        if one.effective_from <= at:
            return one
    return None

"""Which version of a programme and of the terms counts, from those a process knows."""

from dataclasses import dataclass, field
from datetime import datetime

from contracts.merchants import Programme, Terms


@dataclass(slots=True)
class Shelf:
    """Every version known, in memory, and the revision of the tables up to which it was read."""

    revision: int = 0
    programmes: dict[tuple[int, int], Programme] = field(
        default_factory=dict[tuple[int, int], Programme]
    )
    newest: dict[int, int] = field(default_factory=dict[int, int])
    terms: dict[int, Terms] = field(default_factory=dict[int, Terms])


def shelve(shelf: Shelf, fact: Programme | Terms) -> None:
    """Put one version on the shelf; in any order, again and again."""
    match fact:
        case Programme():
            shelf.programmes[fact.merchant, fact.version] = fact
            known = shelf.newest.get(fact.merchant, 0)
            shelf.newest[fact.merchant] = max(known, fact.version)
        case Terms():
            shelf.terms[fact.version] = fact


def programme_as_of(shelf: Shelf, merchant: int, at: datetime) -> Programme | None:
    """The version in force at a time: the highest whose effective_from has come; None before."""
    for version in range(shelf.newest.get(merchant, 0), 0, -1):
        found = shelf.programmes.get((merchant, version))
        if found is not None and found.effective_from <= at:
            return found
    return None


def terms_as_of(shelf: Shelf, at: datetime) -> Terms | None:
    """The network's terms in force at a time; None before the first."""
    for version in sorted(shelf.terms, reverse=True):
        if shelf.terms[version].effective_from <= at:
            return shelf.terms[version]
    return None

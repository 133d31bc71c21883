"""Whose key calls: what it may do to accounts, and how often."""

from fastapi import Request

from kit.base import auth
from kit.room import resources
from members.additions.domain import Enroller
from members.terms import enrolment_terms


def enroller(request: Request) -> Enroller:
    """The caller of a route, whom its `allow` has let in."""
    actor = auth.actor_of(request)
    terms = resources(request).shared(enrolment_terms)
    return Enroller(actor.subject, actor.party, terms.account_day, terms.key_day)

"""Whose key calls: what it may do to accounts, and how often."""

from fastapi import Request

from kit import auth
from members.domain.additions import Enroller
from members.usecases.memberships import House


def enroller(request: Request) -> Enroller:
    """The caller of a route, whom its `allow` has let in."""
    actor = auth.actor_of(request)
    house: House = request.app.state.house
    return Enroller(actor.subject, actor.party, house.account_day, house.key_day)

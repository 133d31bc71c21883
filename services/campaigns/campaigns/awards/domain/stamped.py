"""The versions of programme and terms that the gateway stamped: a basket earns and pays by them."""

from typing import NamedTuple

from contracts.merchants import Programme, Terms


class Stamped(NamedTuple):
    """The versions for one basket; None: there is none, or it is not known here (yet).

    terms: in force at occurred_at. earn, spend: chosen among these and the terms in force at
    accepted_at. Points are issued at the higher price (earn) and spent at the lower one (spend),
    so that a till's clock cannot choose the better price (decision 0037).
    """

    programme: Programme | None
    terms: Terms | None
    earn: Terms | None
    spend: Terms | None


def stamped_by(programme: Programme | None, terms: Terms | None, accepted: Terms | None) -> Stamped:
    """What counts of the versions in force; accepted: at accepted_at, None: the same terms."""
    if terms is None or accepted is None or accepted is terms:
        return Stamped(programme, terms, terms, terms)
    was = terms.price_rial * accepted.price_points  # of equally many points
    now = accepted.price_rial * terms.price_points
    earn, spend = accepted if now > was else terms, accepted if now < was else terms
    return Stamped(programme, terms, earn, spend)

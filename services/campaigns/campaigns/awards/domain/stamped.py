"""The versions of programme and terms that the gateway saw: by which a basket earns and pays."""

from typing import NamedTuple

from contracts.merchants import Programme, Terms


class Stamped(NamedTuple):
    """What counts for one basket; None: there is none, or it is not known here (yet).

    terms: those in force at occurred_at. earn, spend: of these and the terms in force at
    accepted_at the ones with the higher price, by which points are born, and with the lower, by
    which they are spent: the till's clock chooses neither (decision 0037).
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

"""The client of operators: administration, imported history, cases, reports."""

from peyvand import road
from peyvand.administration import Page
from peyvand.calls.campaigns import CampaignCalls
from peyvand.calls.clearing import ClearingCalls
from peyvand.calls.connection import LIMIT
from peyvand.calls.disputes import DisputeCalls
from peyvand.calls.fraud import FraudCalls
from peyvand.calls.identity import IdentityCalls
from peyvand.calls.ledger import LedgerCalls
from peyvand.calls.members import MemberCalls
from peyvand.calls.merchants import MerchantCalls
from peyvand.calls.notify import MessageCalls
from peyvand.calls.onboarding import OnboardingCalls
from peyvand.calls.settlement import SettlementCalls
from peyvand.calls.webhooks import WebhookCalls
from peyvand.listing import every as every
from peyvand.models import Answered, HistoricPurchase, Pending
from peyvand.transport import path_of


class Operator(
    MerchantCalls,
    OnboardingCalls,
    ClearingCalls,
    SettlementCalls,
    DisputeCalls,
    MemberCalls,
    CampaignCalls,
    FraudCalls,
    LedgerCalls,
    MessageCalls,
    WebhookCalls,
    IdentityCalls,
):
    """Administers the network; use as `async with Operator(url, key)`.

    key: an operator's, or the token of a session; "" to sign in or to accept an invitation.

    Whatever is created is put under a number or id that the caller chose: the same again changes
    nothing, another body under it raises Invalid `already-exists-differently`. Retries are safe.
    """

    async def trail(
        self, room: str, after: str | int | None = None, *, broken: bool = False
    ) -> Page:
        """Who wrote what in a room, and who read whose personal data (role auditor).

        broken: only acts that do not follow from the one before; none while nobody touched it.
        """
        only = "true" if broken else None
        return await self.page(path_of("audit", room, after=after, limit=LIMIT, broken=only))

    async def post_history(
        self, purchase: HistoricPurchase, *, follow: road.Follow | None = None
    ) -> Answered | Pending:
        """Bring in a purchase of the past (role history); a 202 is followed.

        Versions that the purchase names are waited for: the gateway hears of a new one in a second.
        """
        return await road.complete(
            self.transport, road.HISTORY, road.encode(purchase), follow=follow
        )

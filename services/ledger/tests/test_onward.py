"""What comes back to a card that was reissued since: it goes on, and nothing is lost."""

import pytest

from contracts import envelope as envelopes
from contracts.ledger import COMMANDS, PostTransaction, Redemption
from contracts.topics import LEDGER_COMMANDS
from contracts.value import ReissueCard
from contracts.values import Channel, Kind
from kit.base.db import Database

from . import auditing, postgres
from .many_shards import CARD, FLORIST, GROCER, HERE, OTHER_CARD, THERE
from .test_edges import audit
from .transfer_examples import GV, TransferExamples

pytestmark = pytest.mark.SH2

THIRD_CARD = 2000003


@pytest.fixture
def many_shards():
    made = TransferExamples()
    yield made
    audit(made)


def pay_by_card(many_shards, rial, *, acceptor=FLORIST):
    many_shards.count += 1
    terms = Redemption(
        points=0, credit_rial=0, points_value_rial=0, own_discount_rial=0,
        own_discount_max_rial=0, fee_bp=100, terms_version=1, gift_rial=rial,
    )  # fmt: skip
    return many_shards.hear(
        transaction(many_shards, Kind.REDEMPTION, acceptor, redemption=terms, account=CARD)
    )


def transaction(many_shards, kind, merchant, **fields):
    given = {
        "name": f"t.10000017.1.{many_shards.count}", "kind": kind, "channel": Channel.TILL,
        "merchant": merchant, "acceptor": merchant, "branch": 1, "terminal": 10000017,
        "amount_rial": 200_000,
    }  # fmt: skip
    many_shards.count += 1
    return PostTransaction(**(given | fields))


def take_back_goods(many_shards, spent):
    body = spent.command.body
    back = transaction(many_shards, Kind.REFUND, body.merchant, original=body.name, amount_rial=0)
    return many_shards.hear(back)


def test_what_a_reissued_card_had_paid_for_comes_back_to_the_new_card(many_shards):
    """C7: 80,000 Rial paid by a card that was lost since; the goods come back."""
    many_shards.card(200_000)
    many_shards.card(account=OTHER_CARD, shard=THERE)
    spent = pay_by_card(many_shards, 80_000)
    many_shards.reissue()
    many_shards.deliver()
    back = take_back_goods(many_shards, spent)
    assert (back.code, back.effects.gift_restored_rial) == ("", 80_000)
    many_shards.deliver()
    assert many_shards.lots(CARD) == []
    assert sum(lot[2] for lot in many_shards.lots(OTHER_CARD, shard=THERE)) == 200_000
    assert many_shards.balance(GROCER, "payable", "IRR", FLORIST) == 0
    assert many_shards.in_transit() == {}
    assert many_shards.issue(1, account=CARD).code == "account-closed"


def test_it_follows_the_chain_of_cards(many_shards):
    many_shards.card(200_000)
    for account, shard in ((OTHER_CARD, THERE), (THIRD_CARD, HERE)):
        many_shards.card(account=account, shard=shard)
    spent = pay_by_card(many_shards, 80_000)
    many_shards.reissue()
    many_shards.deliver()
    many_shards.hear(reissue_of(many_shards, OTHER_CARD, to=THIRD_CARD, to_shard=HERE), shard=THERE)
    many_shards.deliver()
    take_back_goods(many_shards, spent)
    many_shards.deliver()
    assert many_shards.lots(CARD) == many_shards.lots(OTHER_CARD, shard=THERE) == []
    assert sum(lot[2] for lot in many_shards.lots(THIRD_CARD)) == 200_000
    assert many_shards.in_transit() == {}


def test_a_ring_of_reissued_cards_has_an_end_and_nothing_is_lost(many_shards):
    many_shards.card(200_000)
    many_shards.card(account=OTHER_CARD, shard=THERE)
    spent = pay_by_card(many_shards, 80_000)
    many_shards.reissue()
    many_shards.deliver()
    many_shards.hear(reissue_of(many_shards, OTHER_CARD, to=CARD, to_shard=HERE), shard=THERE)
    take_back_goods(many_shards, spent)
    many_shards.deliver()
    held = [*many_shards.lots(CARD), *many_shards.lots(OTHER_CARD, shard=THERE)]
    assert sum(lot[2] for lot in held) == 200_000
    assert many_shards.in_transit() == {}


def test_where_the_new_card_takes_nothing_the_old_one_opens_frozen(many_shards):
    many_shards.card(200_000)
    spent = pay_by_card(many_shards, 200_000)
    many_shards.reissue()  # to a card that was never activated
    take_back_goods(many_shards, spent)
    many_shards.deliver()
    assert many_shards.lots(CARD) == [("GV", GROCER, 200_000, 200_000)]
    assert many_shards.issue(1, account=CARD, unit=GV).code == "account-frozen"
    assert many_shards.in_transit() == {}


async def test_the_database_knows_which_card_took_its_place(fresh_database):
    """The same story, each command a poll of its own, audited from the rows."""
    town = TransferExamples()
    test_it_follows_the_chain_of_cards(town)
    dsn = await fresh_database("ledger")
    database = await Database.open(dsn, size=2, command_timeout_s=30)
    for decision in town.decided:
        command = decision.command
        envelope = envelopes.decode(command.raw, COMMANDS)
        said = await postgres.post(database, postgres.events(command.shard, [envelope]))
        assert postgres.outcomes(said)[0].code == decision.code
        told = [m for m in said if m.topic == LEDGER_COMMANDS.name]
        assert [envelopes.decode(m.value or b"", COMMANDS).data for m in told] == [
            body for _, body in decision.sends
        ]
    await database.close()
    report = await auditing.check(dsn)
    assert [finding.text for finding in report.findings.listed] == []


def reissue_of(many_shards, account, *, to, to_shard):
    return ReissueCard(
        name=many_shards.name(), account=account, to_shard=to_shard, to_account=to, by="ops",
        reason="lost",
    )  # fmt: skip

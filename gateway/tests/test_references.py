"""A history's reference of a person counts within the party of its merchant."""

from contracts.members import Binding, IdentifierKind

from .conftest import Edge
from .fakes import OPENED, identifier, operator
from .test_road import historic


async def test_a_reference_means_the_customer_of_the_historys_own_party(edge: Edge) -> None:
    """Both shops know a 67890: each one's history goes to its own, a third has nobody's."""
    own, kind = {112: (2_000_001, 4), 113: (2_000_002, 6)}, IdentifierKind.EXTERNAL
    for party, (account, shard) in own.items():
        bound = Binding(from_at=OPENED, member=account, account=account, shard=shard)
        await edge.publish(identifier("67890", kind, party=party, bindings=(bound,)))
    for merchant, text in ((12, "67890"), (13, " ۶۷۸۹۰ ")):
        body = historic(merchant=merchant, transaction="E-1", identifier={"external": text})
        assert (await edge.post(body, operator("importer"), "/v1/history")).status_code == 200
        record, event = edge.last()
        assert (event.data.account, record.partition) == own[merchant + 100]
    await edge.publish(identifier("11", kind, party=113))
    body = historic(transaction="E-2", identifier={"external": "11"})
    answer = await edge.post(body, operator("importer"), "/v1/history")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown-identifier")


async def test_history_names_the_versions_by_which_it_is_booked(edge: Edge) -> None:
    """An import right after a programme was published is not booked by the one before."""
    expecting = {"transaction": "A-2", "programme_version": 2, "terms_version": 2}
    assert (await edge.post(historic(**expecting), operator("importer"), "/v1/history")).is_success
    first = edge.last()[1]
    submitted = len(edge.road.submitted)
    for other in ({"programme_version": 3}, {"terms_version": 99}):
        body = historic(**(expecting | other))
        answer = await edge.post(body, operator("importer"), "/v1/history")
        assert (answer.status_code, answer.json()["code"]) == (503, "other-version-in-force")
    assert len(edge.road.submitted) == submitted
    bare = historic(transaction="A-2")
    assert (await edge.post(bare, operator("importer"), "/v1/history")).is_success
    assert edge.last()[1].fingerprint == first.fingerprint

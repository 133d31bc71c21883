"""The application called as the gateway calls it, and a till that fills its book."""

from urllib.parse import unquote

from kit import auth, clock

from . import house_of
from .desk import BAKER, GROCER, Desk, terms

SECRET = "the actor secret of these tests"


class Stopped:
    ready = True

    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


class Door:
    """The application called as the gateway calls it."""

    def __init__(self, client, stopped):
        self.client = client
        self.clock = stopped

    async def __call__(self, path, *, role="operator"):
        headers = {}
        if role:
            actor = auth.Actor("tester", frozenset({role}))
            bare = unquote(path.partition("?")[0])
            headers[auth.HEADER] = auth.sign(actor, SECRET, "GET", bare, clock.wall())
        return await self.client.get(path, headers=headers)


class Till:
    """Posts what a desk says for an account of its own."""

    def __init__(self, database, shard):
        self.database = database
        self.shard = shard
        self.account = 5_000_000 + shard
        self.desk = Desk(shard)

    async def post(self, *bodies):
        said = await house_of.post(
            self.database,
            house_of.events(self.shard, [self.desk.envelope(body) for body in bodies]),
        )
        return house_of.replies(said)

    def buy(self, *awards, merchant=BAKER, **fields):
        return self.desk.transaction(
            "purchase", merchant, awards=awards, account=self.account, **fields
        )

    def spend(self, points, merchant=GROCER):
        return self.desk.transaction(
            "redemption", merchant, redemption=terms(points), account=self.account
        )

"""The application called as the gateway calls it, and a till that fills its book."""

from urllib.parse import unquote

from support.callers import Vouched

from . import postgres
from .one_shard import BAKER, GROCER, OneShard, terms

SECRET = "the actor secret of these tests"


class Stopped:
    ready = True

    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


class GatewayClient:
    """The application called as the gateway calls it."""

    def __init__(self, client, stopped, routes):
        self.client = client
        self.clock = stopped
        self.shapes = {
            route.path_regex: (route.responses.get(200) or {}).get("model") for route in routes
        }

    async def __call__(self, path, *, role="auditor"):
        signed = Vouched("ledger", SECRET, {role}) if role else None
        answer = await self.client.get(path, auth=signed)
        self.hold_to_its_shape(answer)
        return answer

    def hold_to_its_shape(self, answer):
        """Every answer of every story looks as the OpenAPI document says."""
        shape = self.shapes.get(match(self.shapes, unquote(answer.url.path)))
        if answer.status_code == 200 and shape is not None:
            shape.model_validate_json(answer.content)


def match(shapes, path):
    """The pattern of the route that serves a path."""
    return next((pattern for pattern in shapes if pattern.match(path)), None)


class Till:
    """Posts what one shard decides for an account of its own."""

    def __init__(self, database, shard):
        self.database = database
        self.shard = shard
        self.account = 5_000_000 + shard
        self.one_shard = OneShard(shard)

    async def post(self, *bodies):
        said = await postgres.post(
            self.database,
            postgres.events(self.shard, [self.one_shard.envelope(body) for body in bodies]),
        )
        return postgres.replies(said)

    def buy(self, *awards, merchant=BAKER, **fields):
        return self.one_shard.transaction(
            "purchase", merchant, awards=awards, account=self.account, **fields
        )

    def spend(self, points, merchant=GROCER):
        return self.one_shard.transaction(
            "redemption", merchant, redemption=terms(points), account=self.account
        )

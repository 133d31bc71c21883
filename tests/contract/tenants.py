"""Two tenants of everything that can be somebody's, set up through the public edge."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.clients import Service
from identity.second_factors.domain import STEP_S, code_at

from .edge import NOW, Edge, uuid_of

PASSWORD: Final = "چهار کلمهٔ بی‌ربط"
PROGRAMME: Final = {
    "title_fa": "طرح", "effective_from": NOW.isoformat(), "backdated": True,
    "earn_points": 1, "earn_per_rial": 10_000,
}  # fmt: skip
STOPS: Final = {"standing": "stopped", "reason": "آزمون"}
PERIOD: Final = {"since": "2026-03-21T00:00:00Z", "until": "2026-03-22T00:00:00Z"}
OPENS: Final = {"standing": "open", "reason": "آزمون"}


@dataclass(frozen=True, slots=True)
class Tenant:
    """What is one tenant's. mark: in every text of his; values: of the parameters of addresses."""

    mark: str
    values: dict[str, str]

    def owns(self, address: str) -> bool:
        """Whether an address begins at this tenant's merchant, member or party."""
        own = {f"/v1/{noun}s/{self.values[noun]}" for noun in ("merchant", "member")}
        own |= {f"/v1/{noun}/{self.values['party']}" for noun in ("parties", "evidence")}
        return "/".join(address.split("/")[:4]) in own


async def registered(edge: Edge, suffix: str, *, party: int, merchant: int) -> Tenant:
    """A party with a merchant and all that lies under it, its members, its people, its keys."""
    mark = f"mark-of-{suffix}"
    titles = {"title_fa": f"فروشگاه {mark}", "title_en": mark}
    values = {"party": str(party), "merchant": str(merchant), "branch": str(merchant * 10)}
    values |= {"terminal": str(merchant * 10 + 1), "version": "1", "window": "1"}
    for name in ("change", "endpoint", "secret", "test", "code_id", "activation", "enrolment"):
        values[name] = uuid_of(suffix, name)
    for name in ("dispute", "file"):
        values[name] = uuid_of(suffix, name)
    for name in ("card", "request_id", "binding", "identifier", "factor", "user", "key"):
        values[name] = uuid_of(suffix, name)
    own = f"/v1/merchants/{merchant}"
    terminal = f"/v1/terminals/{values['terminal']}"
    await edge.put(f"/v1/parties/{party}", titles)
    await edge.put(own, titles | {"party": party, "sector": "food", "reference": mark})
    await edge.put(f"{own}/branches/{values['branch']}", titles)
    await edge.put(f"{own}/terminals/{values['terminal']}", {"branch": merchant * 10})
    await edge.put(f"{own}/programmes/1", PROGRAMME | titles)
    for number, change in ((1, STOPS), (2, OPENS)):
        reason = {"reason": f"{mark} {number}"}
        await edge.put(f"{own}/standings/{uuid_of(suffix, number)}", change | reason)
    await _told_to_notify(edge, party, merchant, mark)
    hook = {"url": f"https://{mark}.example/", "events": ["transaction.completed"]}
    await edge.put(f"{own}/webhook-endpoints/{values['endpoint']}", hook)
    issued = await edge.put(f"{terminal}/activations/{values['activation']}", {})
    edge.keys[f"till-of-{suffix}"] = issued["key"]
    values["key_id"] = issued["key"].split("_")[2]
    await _members(edge, suffix, party, values)
    await _person(edge, suffix, merchant, values)
    ends_at = (NOW + timedelta(days=90)).isoformat()
    for name, role in (
        ("reader", f"merchant:{merchant}"), ("enroller", f"enrol:{party}"),
        ("disputer", f"party:{party}"),
    ):  # fmt: skip
        body = {"name": f"{name}-{suffix}", "roles": [role], "ends_at": ends_at}
        made = await edge.put(f"/v1/api-keys/{uuid_of(suffix, name)}", body)
        edge.keys[f"{name}-program-of-{suffix}"] = made["text"]
    return Tenant(mark, values)


async def _told_to_notify(edge: Edge, party: int, merchant: int, title: str) -> None:
    """What the topic of merchants tells notify, which no broker brings here."""
    async with edge.databases[Service.NOTIFY].transaction() as tx:
        await tx.execute(
            "insert into titles (merchant, version, title_fa, title_en, party)"
            " values ($1, 1, $3, $3, $2)",
            *(merchant, party, title),
        )


async def _members(edge: Edge, suffix: str, party: int, values: dict[str, str]) -> None:
    """A member whose account was opened under the party, by its own partner's key."""
    body = {
        "mobile": f"0912000{party:04}", "party": party, "external": f"mark-of-{suffix}",
        "name": f"mark-of-{suffix}", "consents": {"terms": True},
    }  # fmt: skip
    target = f"/v1/enrolments/{values['enrolment']}"
    made = await edge.put(target, body, who=f"partner-of-{suffix}")
    values |= {"member": str(made["member"]), "account": str(made["account"])}
    shown = await edge.call("support", "GET", f"/v1/members/{made['member']}")
    values["identifier_id"] = shown.json()["identifiers"][0]["identifier_id"]


async def _person(edge: Edge, suffix: str, merchant: int, values: dict[str, str]) -> None:
    """Somebody of the merchant who signed in, with a second factor begun."""
    who = f"owner-of-{suffix}"
    values["session"] = await signed_in(edge, who, values["user"], f"owner:{merchant}", suffix)
    await _sign_in(edge, who)  # on another device: the first session is there to be ended
    await edge.put(f"/v1/second-factors/{values['factor']}", who=who)


async def signed_in(edge: Edge, who: str, user: str, grant: str, suffix: str) -> str:
    """Register, invite and sign in a user with one grant: the session's id."""
    name = f"mark-of-{suffix}"
    body = {"login": _login(who), "name_fa": name, "name_en": name, "grants": [grant]}
    await edge.put(f"/v1/users/{user}", body)
    invited = await edge.put(f"/v1/users/{user}/invitations/{uuid_of(who, 'invitation')}")
    accepted = {"token": invited["token"], "password": PASSWORD}
    answer = await edge.call("", "POST", "/v1/invitations/accept", accepted)
    assert answer.status == 200, answer.text
    return await _sign_in(edge, who, device=name)


async def confirm_second_factor(edge: Edge, who: str) -> None:
    """Give somebody a second factor, and a session that it opened."""
    factor = f"/v1/second-factors/{uuid_of(who, 'factor')}"
    begun = await edge.put(factor, who=who)
    secret = base64.b32decode(begun["uri"].partition("secret=")[2].partition("&")[0])
    step = int(NOW.timestamp()) // STEP_S
    await edge.put(f"{factor}/confirmation", {"code": code_at(secret, step)}, who=who)
    await _sign_in(edge, who, code=code_at(secret, step + 1))


async def _sign_in(edge: Edge, who: str, **more: str) -> str:
    signing = {"login": _login(who), "password": PASSWORD, "device": "x"} | more
    opened = await edge.call("", "POST", "/v1/sessions", signing)
    assert opened.status == 201, opened.text
    edge.keys[who] = opened.json()["token"]
    return str(opened.json()["session"])


def _login(who: str) -> str:
    return f"{who}@edge.example"

"""People who sign in to the whole platform, with what their telephones hold."""

import base64
import re
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from cluster import plan
from peyvand import Operator, Options, Problem

from .participants import PATIENT, Participants

PASSWORD = "چهار کلمهٔ بی‌ربط"


@dataclass
class Authenticator:
    """What a person's telephone holds."""

    secret: bytes

    @classmethod
    def of(cls, uri: str | None) -> "Authenticator":
        found = re.search("secret=([A-Z2-7]+)", uri or "")
        assert found is not None
        return cls(base64.b32decode(found[1]))

    def code(self, steps: int = 0) -> str:
        totp = TOTP(self.secret, 6, SHA1(), 30)  # noqa: S303  what every authenticator knows
        return totp.generate(int(time.time()) + 30 * steps).decode()


async def invited(participants: Participants, grants: list[str]) -> tuple[str, str, str]:
    """Somebody new: id, login, and the token of the invitation."""
    user, login = str(uuid.uuid4()), f"user{secrets.token_hex(6)}@example.org"
    names = {"name_fa": "مریم", "name_en": "Maryam"}
    await participants.operator.put_user(user, {"login": login, "grants": grants, **names})
    made = await participants.operator.put_invitation(user, str(uuid.uuid4()))
    return user, login, made["token"]


def as_(participants: Participants, key: str, options: Options = PATIENT) -> Operator:
    """Calls under a key, or under none."""
    return Operator(participants.cluster.url(plan.GATEWAY), key, options=options)


async def signed_in(participants: Participants, grants: list[str]) -> tuple[str, str, Operator]:
    """Somebody who accepted and signed in with a password: id, login, the client."""
    user, login, token = await invited(participants, grants)
    async with as_(participants, "") as nobody:
        await nobody.accept_invitation(token, PASSWORD)
        opened = await nobody.sign_in(login, PASSWORD, device="e2e")
    return user, login, as_(participants, opened.token)


async def refused(call: Any) -> str:
    """The code of the refusal that a call ends in."""
    with pytest.raises(Problem) as caught:
        await call
    return caught.value.code


async def with_second_factor(participants: Participants, grants: list[str]) -> tuple[str, str]:
    """Somebody who signed in with all that he may: id, and the session's token."""
    user, login, person = await signed_in(participants, grants)
    async with person:
        factor = str(uuid.uuid4())
        phone = Authenticator.of((await person.enrol_factor(factor)).uri)
        await person.confirm_factor(factor, phone.code())
    async with as_(participants, "") as nobody:
        opened = await nobody.sign_in(login, PASSWORD, code=phone.code(1))
    assert opened.withheld == ()
    return user, opened.token

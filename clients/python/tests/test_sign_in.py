"""The command that signs in: what it asks, what it prints for a shell, and of a refusal."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import pytest

import peyvand
from peyvand import sign_in

SESSION = {
    "session": "s", "token": "pvs_s_x", "user": "u-1", "roles": ["support"], "withheld": ["money"],
    "idle_ends_at": "2026-03-21T00:00:00Z", "ends_at": "2026-03-21T00:00:00Z",
}  # fmt: skip


class Person:
    """Who types what is asked, in turn, and keeps what was told."""

    def __init__(self, *typed: str) -> None:
        self.typed: Iterator[str] = iter(typed)
        self.told: list[str] = []
        self.prompts = sign_in.Prompts(self.next, self.next, self.told.append)

    def next(self, _: str) -> str:
        return next(self.typed)


def options(url: str, **more: Any) -> argparse.Namespace:
    plain = {"url": url, "login": "", "device": "d", "accept": False, "second_factor": False}
    return argparse.Namespace(**(plain | more))


def refusal(code: str) -> bytes:
    return json.dumps({"code": code, "detail": "in English", "fa": "به فارسی"}).encode()


def bodies(scripted: Any) -> list[dict[str, Any]]:
    return [json.loads(seen.body) for seen in scripted.seen]


async def test_a_code_is_asked_for_only_where_it_is_needed(scripted: Any, reply: Any) -> None:
    scripted.script = [reply(401, refusal("code-needed")), reply(201, json.dumps(SESSION).encode())]
    person = Person("a@example.org", "four words", "123456")
    session = await sign_in.run(options(scripted.url), person.prompts)
    assert session.token == "pvs_s_x"
    first, second = bodies(scripted)
    assert first == {"login": "a@example.org", "password": "four words", "device": "d"}
    assert second == first | {"code": "123456"}
    assert "money" in person.told[-1]


async def test_a_wrong_password_is_asked_for_once(scripted: Any, reply: Any) -> None:
    scripted.script = [reply(401, refusal("sign-in-refused"))]
    with pytest.raises(peyvand.Unauthorized):
        await sign_in.run(options(scripted.url, login="a"), Person("wrong").prompts)
    assert len(scripted.seen) == 1


async def test_an_authenticator_is_enrolled_until_a_code_is_right(
    scripted: Any, reply: Any
) -> None:
    enrolled = {"factor": "f", "uri": "otpauth://totp/x"}
    confirmed = {"factor": "f", "recovery_codes": ["AAAA-BBBB"], "roles": ["money"]}
    scripted.script = [
        reply(201, json.dumps(SESSION).encode()),
        reply(201, json.dumps(enrolled).encode()),
        reply(403, refusal("code-refused")),
        reply(200, json.dumps(confirmed).encode()),
    ]
    person = Person("four words", "000000", "111111")
    await sign_in.run(options(scripted.url, login="a", second_factor=True), person.prompts)
    assert [seen.headers.get("Authorization") for seen in scripted.seen[1:]] == [
        "Bearer pvs_s_x"
    ] * 3
    told = "\n".join(person.told)
    assert "otpauth://totp/x" in told
    assert "به فارسی · in English" in told
    assert "AAAA-BBBB" in told


def test_without_an_address_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEYVAND_URL", raising=False)
    person = Person()
    assert sign_in.main([], person.prompts) == sign_in.USAGE
    assert "PEYVAND_URL" in person.told[0]


def test_no_answer_is_told_and_prints_no_session(capsys: pytest.CaptureFixture[str]) -> None:
    person = Person("four words")
    arguments = ["--url", "http://127.0.0.1:1", "--login", "a@example.org"]
    assert sign_in.main(arguments, person.prompts) == sign_in.UNANSWERED
    assert "No answer" in person.told[0]
    assert capsys.readouterr().out == ""

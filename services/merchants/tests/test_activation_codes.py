"""Activation codes: typed once, good for one device, whatever gets lost on the way."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from contracts.members import luhn_check_digit
from merchants.activation_codes import domain

from .test_api import arrange

pytestmark = pytest.mark.NH24
CODE_ID = uuid.UUID(int=7)
PATH = f"/v1/terminals/10/activation-codes/{CODE_ID}"
DEVICE, OTHER_DEVICE = str(uuid.UUID(int=21)), str(uuid.UUID(int=22))
STRANGER = ("stranger",)


async def _issued(door: Any, path: str = PATH, **body: Any) -> str:
    answer = await door("PUT", path, body)
    assert answer.status_code == 201, answer.text
    return answer.json()["code"]


async def _redeem(door: Any, code: str, device: str = DEVICE) -> Any:
    return await door("POST", "/v1/activations", {"code": code, "device": device}, roles=STRANGER)


async def test_a_code_gives_the_terminal_its_key(door: Any) -> None:
    await arrange(door)
    code = await _issued(door)
    assert len(code.replace(" ", "")) == 16
    redeemed = await _redeem(door, code)
    assert redeemed.status_code == 200
    key = redeemed.json()
    assert (key["terminal"], key["epoch"]) == (10, 1)
    assert key["key"].startswith(f"pvt_10_{key['key_id']}_")
    terminal = (await door("GET", "/v1/merchants/5/terminals/10")).json()
    assert (terminal["active"], terminal["epoch"]) == (True, 1)
    assert [one["key_id"] for one in terminal["keys"]] == [key["key_id"]]
    seen = (await door("GET", PATH)).json()
    assert (seen["device"], seen["redeemed"], seen["code"]) == (DEVICE, 1, None)


async def test_the_same_put_again_shows_no_digits_and_changes_nothing(door: Any) -> None:
    await arrange(door)
    code = await _issued(door)
    again = await door("PUT", PATH, {})
    assert (again.status_code, again.json()["code"]) == (200, None)
    differing = await door("PUT", PATH, {"overlap_s": 5})
    assert differing.json()["code"] == "already-exists-differently"
    assert (await _redeem(door, code)).status_code == 200


@pytest.mark.parametrize("form", ["{}", "{} ", "  {}", "dashed", "plain", "persian", "arabic"])
async def test_a_code_is_taken_however_it_is_typed(door: Any, form: str) -> None:
    await arrange(door)
    code = await _issued(door)
    typed = {
        "dashed": code.replace(" ", "-"),
        "plain": code.replace(" ", ""),
        "persian": code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
        "arabic": code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    }.get(form) or form.format(code)
    assert (await _redeem(door, typed)).status_code == 200


async def test_a_mistyped_digit_is_told_apart_from_a_code_that_is_none(door: Any) -> None:
    await arrange(door)
    code = (await _issued(door)).replace(" ", "")
    for place in range(16):
        mistyped = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
        answer = await _redeem(door, mistyped)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-activation-code")
        assert answer.json()["fa"]
    for text in (code[:-1], code + "0", "x" * 16, " " * 16, "½" * 16):
        assert (await _redeem(door, text)).json()["code"] == "bad-activation-code"
    body = "9" * 15
    never_issued = body + luhn_check_digit(body)
    answer = await _redeem(door, never_issued)
    assert (answer.status_code, answer.json()["code"]) == (403, "activation-code-unknown")
    assert (await _redeem(door, code)).status_code == 200


async def test_a_lost_answer_is_asked_for_again_by_the_same_device_alone(door: Any) -> None:
    await arrange(door)
    code = await _issued(door)
    keys = [(await _redeem(door, code)).json() for _ in range(domain.REDEMPTIONS_MAX)]
    assert [key["epoch"] for key in keys] == [1, 2, 3, 4, 5]
    assert len({key["key"] for key in keys}) == 5
    terminal = (await door("GET", "/v1/merchants/5/terminals/10")).json()
    live = [key["key_id"] for key in terminal["keys"] if key["revoked_at"] is None]
    assert live == [keys[-1]["key_id"]]
    for device in (DEVICE, OTHER_DEVICE):  # too often; another one
        answer = await _redeem(door, code, device)
        assert (answer.status_code, answer.json()["code"]) == (403, "activation-code-unknown")


async def test_whoever_saw_the_code_comes_too_late(door: Any) -> None:
    await arrange(door)
    code = await _issued(door)
    assert (await _redeem(door, code)).status_code == 200
    stolen = await _redeem(door, code, OTHER_DEVICE)
    assert stolen.json()["code"] == "activation-code-unknown"


async def test_a_code_ends_by_time_withdrawal_or_a_newer_one(door: Any, at: Any) -> None:
    await arrange(door)
    old = await _issued(door)
    new = await _issued(door, f"/v1/terminals/10/activation-codes/{uuid.UUID(int=8)}")
    assert (await _redeem(door, old)).status_code == 403
    at.at += timedelta(hours=23, minutes=59)
    assert (await _redeem(door, new)).status_code == 200
    at.at += timedelta(minutes=1)
    assert (await _redeem(door, new)).status_code == 403
    path = f"/v1/terminals/10/activation-codes/{uuid.UUID(int=9)}"
    withdrawn = await _issued(door, path)
    first = (await door("DELETE", path)).json()
    assert (await door("DELETE", path)).json() == first
    assert first["ended_at"] is not None
    assert (await _redeem(door, withdrawn)).status_code == 403


async def test_keys_before_it_stay_as_long_as_it_says(door: Any) -> None:
    await arrange(door)
    await door("PUT", f"/v1/terminals/10/activations/{uuid.UUID(int=1)}")
    code = await _issued(door, overlap_s=600)
    assert (await _redeem(door, code)).status_code == 200
    keys = (await door("GET", "/v1/merchants/5/terminals/10")).json()["keys"]
    assert sorted(key["epoch"] for key in keys) == [1, 2]
    ends = {key["epoch"]: key["revoked_at"] for key in keys}
    assert ends[2] is None
    assert ends[1] is not None


async def test_what_is_not_there_and_who_may(door: Any) -> None:
    await arrange(door)
    assert (await door("PUT", PATH.replace("/10/", "/11/"), {})).status_code == 404
    assert (await door("GET", PATH)).status_code == 404
    assert (await door("DELETE", PATH)).status_code == 404
    await _issued(door)
    assert (await door("GET", PATH.replace("/10/", "/12/"))).status_code == 404
    for roles in (("partners",), ("merchant:5",), STRANGER):
        assert (await door("PUT", PATH, {}, roles=roles)).status_code == 403
    body = {"code": "4512 8830 0971 2641", "device": DEVICE}
    assert (await door("POST", "/v1/activations", body)).status_code == 403  # a stranger's door
    for bad in ({}, body | {"device": "x"}, body | {"more": 1}, body | {"code": 4512}):
        assert (await door("POST", "/v1/activations", bad, roles=STRANGER)).status_code == 422


def test_codes_have_their_check_digit_and_their_groups() -> None:
    assert domain.code_of(0) == "0000000000000000"
    assert domain.code_of(451288300971264) == "451288300971264" + luhn_check_digit(
        "451288300971264"
    )
    assert domain.grouped("0123456789012345") == "0123 4567 8901 2345"

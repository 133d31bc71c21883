"""People sign in to the whole platform: invited, with a second factor, stopped at once."""

import asyncio
import re
import secrets
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from cluster import first_operator, plan, processes
from peyvand import Forbidden, Options, Retry, Unauthorized, sign_in

from .participants import Participants, until
from .people import PASSWORD, Authenticator, as_, invited, refused, signed_in

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

ONCE = Options(retry=Retry(attempts_max=1))


@pytest.mark.SH14
async def test_an_operator_is_invited_adds_a_second_factor_and_stops_a_party(
    participants: Participants,
) -> None:
    """What settles among merchants is moved by people, each by name and with a second factor."""
    shop = await participants.shop("identity")
    user, login, person = await signed_in(participants, ["money", "support"])
    async with person:
        change = str(uuid.uuid4())
        stopping = {"standing": "stopped", "reason": "settlement overdue"}
        code = await refused(person.put_standing("parties", shop.party, change, **stopping))
        assert code == "second-factor-needed"
        factor = str(uuid.uuid4())
        phone = Authenticator.of((await person.enrol_factor(factor)).uri)
        confirmed = await person.confirm_factor(factor, phone.code())
        assert confirmed.roles == ("money", "support")

        async def stopped() -> bool:
            try:
                await person.put_standing("parties", shop.party, change, **stopping)
            except Forbidden:
                return False
            return True

        await until(stopped)
        kept = await person.standings("parties", shop.party)
        assert [item["changed_by"] for item in kept["items"]] == [user]
    async with as_(participants, "") as nobody:
        assert await refused(nobody.sign_in(login, PASSWORD)) == "code-needed"
        later = phone.code(1)
        opened = await nobody.sign_in(login, PASSWORD, code=later)
        assert opened.withheld == ()
        used = await refused(nobody.sign_in(login, PASSWORD, code=later))
        assert used == "sign-in-refused"
        assert confirmed.recovery_codes is not None
        recovered = await nobody.sign_in(login, PASSWORD, code=confirmed.recovery_codes[0])
        assert recovered.roles == ("money", "support")


async def test_a_merchants_owner_reads_his_own_and_no_others(participants: Participants) -> None:
    mine, other = await participants.shop("identity"), await participants.shop("identity, another")
    _, _, owner = await signed_in(participants, [f"owner:{mine.merchant}"])
    async with owner:
        assert (await owner.merchant(mine.merchant))["merchant"] == mine.merchant
        assert await refused(owner.merchant(other.merchant)) == "role-missing"
        assert await refused(owner.merchants()) == "role-missing"
        assert await refused(owner.put_merchant(mine.merchant, {})) == "role-missing"


async def test_whoever_is_stopped_is_out_within_a_second(participants: Participants) -> None:
    """A second on a machine that is not busy: here it is asked until it holds."""
    user, login, person = await signed_in(participants, ["support"])
    async with person:
        assert (await person.own_sessions()).items[0]["current"]
        change = str(uuid.uuid4())
        await participants.operator.put_user_standing(
            user, change, standing="stopped", reason="left"
        )

        async def out() -> str:
            try:
                await person.own_sessions()
            except Unauthorized as error:
                return error.code
            return ""

        assert await until(out, step_s=0.02) == "session-ended"
    async with as_(participants, "") as nobody:
        assert await refused(nobody.sign_in(login, PASSWORD)) == "sign-in-refused"


async def test_a_session_outlives_the_services_that_made_it(participants: Participants) -> None:
    """Identity killed: sessions stay open, nobody signs in, tills sell; then all is as before."""
    shop = await participants.shop("identity")
    till = await participants.till(shop)
    _, login, person = await signed_in(participants, ["partners"])
    async with person:
        await person.merchant(shop.merchant)
        processes.kill(participants.cluster, "identity")
        try:
            assert (await person.merchant(shop.merchant))["merchant"] == shop.merchant
            async with as_(participants, "", ONCE) as nobody:
                assert await refused(nobody.sign_in(login, PASSWORD)) == "service-unavailable"
            await till.buy(await participants.member(), 20_000)
        finally:
            processes.start(participants.cluster, "identity")
            await asyncio.to_thread(processes.wait_ready, participants.cluster, ["identity"])
        async with as_(participants, "") as nobody:
            assert (await nobody.sign_in(login, PASSWORD)).roles == ("partners",)


async def test_a_partners_program_enrols_until_its_key_is_succeeded(
    participants: Participants,
) -> None:
    shop = await participants.shop("identity")
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    ends_at = datetime.now(UTC) + timedelta(days=90)
    roles = [f"enrol:{shop.party}", f"merchant:{shop.merchant}"]
    operator = participants.operator
    issued = await operator.put_api_key(first, name="shop-sync", roles=roles, ends_at=ends_at)
    assert issued.text is not None
    async with as_(participants, issued.text) as program:
        body = {"mobile": f"0935{secrets.randbelow(10**7):07d}", "consents": {"terms": True}}
        made = await program.enrol(str(uuid.uuid4()), body)
        assert (await program.member(made.member))["member"] == made.member
        assert (await program.merchant(shop.merchant))["merchant"] == shop.merchant
        other = await participants.member()
        assert await refused(program.member(other.member)) == "member-of-another-party"
        assert await refused(program.users()) == "role-missing"

        async def used() -> bool:
            return (await operator.api_key(first))["used_at"] is not None

        await until(used)
        newer = await operator.put_successor(first, second, ends_at=ends_at)
        assert newer.text is not None

        async def ended() -> str:
            try:
                await program.merchant(shop.merchant)
            except Unauthorized as error:
                return error.code
            return ""

        assert await until(ended, step_s=0.02) == "api-key-ended"
    async with as_(participants, newer.text) as program:
        assert (await program.member(made.member))["member"] == made.member


async def test_make_up_invites_the_first_operator_once(participants: Participants) -> None:
    """There are users by now, so it invites nobody; that it does so first is the cluster's test."""
    await invited(participants, ["support"])
    assert first_operator.invite(participants.cluster) is None


async def test_the_command_accepts_signs_in_and_prints_the_session_for_a_shell(
    participants: Participants, capsys: pytest.CaptureFixture[str]
) -> None:
    _, login, token = await invited(participants, ["support", "money"])
    answers = iter([token, PASSWORD, "other", PASSWORD, PASSWORD])
    heard: list[str] = []
    prompts = sign_in.Prompts(lambda _: "", lambda _: next(answers), heard.append)
    url = participants.cluster.url(plan.GATEWAY)
    status = await asyncio.to_thread(sign_in.main, ["--url", url, "--accept"], prompts)
    assert status == sign_in.DONE, heard
    printed = capsys.readouterr().out
    key = re.search("export PEYVAND_KEY=(pvs_[0-9a-f]{32}_[A-Za-z0-9_-]{43})", printed)
    assert key is not None
    assert any(login in line for line in heard)
    assert any("money" in line for line in heard), "a second factor would add it"
    async with as_(participants, key[1]) as person:
        assert (await person.own_sessions()).items[0]["device"] == "shell"


def test_the_command_without_an_address_says_what_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "peyvand.sign_in"],
        capture_output=True, text=True, check=False, env={},
    )  # fmt: skip
    assert done.returncode == sign_in.USAGE
    assert "PEYVAND_URL" in done.stderr

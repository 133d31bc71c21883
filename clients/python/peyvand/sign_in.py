"""`python -m peyvand.sign_in`: accepts an invitation, signs in, prints the session for a shell."""

import argparse
import asyncio
import getpass
import os
import shlex
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import peyvand
from peyvand.administration import OpenedSession
from peyvand.transport import Options, Retry, Timeouts

DONE, REFUSED, UNANSWERED, USAGE = 0, 1, 2, 64
OPTIONS: Final = Options(timeouts=Timeouts(request_s=20.0), retry=Retry(attempts_max=1))
Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Prompts:
    """How a person is spoken to: never on the output, which is the shell's."""

    ask: Ask
    ask_secret: Ask
    tell: Callable[[str], None]


def terminal_prompts() -> Prompts:
    """Prompts on the error stream; what is secret is not echoed."""

    def tell(text: str) -> None:
        print(text, file=sys.stderr)

    def ask(text: str) -> str:
        print(f"{text}: ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    return Prompts(ask, lambda text: getpass.getpass(f"{text}: "), tell)


async def accept(url: str, prompts: Prompts) -> tuple[str, str]:
    """Accept an invitation: the login and the password that was set. Raises Problem."""
    token = prompts.ask_secret("دعوت · Invitation (pvi_…)").strip()
    while True:
        password = prompts.ask_secret("گذرواژهٔ تازه · New password")
        if password == prompts.ask_secret("دوباره · Again"):
            break
        prompts.tell("دو گذرواژه یکی نیست · The two differ")
    async with peyvand.Operator(url, "", options=OPTIONS) as nobody:
        accepted = await nobody.accept_invitation(token, password)
    prompts.tell(f"نام ورود · Login: {accepted['login']}")
    return accepted["login"], password


async def sign_in(
    url: str, prompts: Prompts, *, login: str = "", password: str = "", device: str = ""
) -> OpenedSession:
    """Open a session; what is not given is asked for, a code only where it is needed.

    Raises Problem.
    """
    login = login or prompts.ask("موبایل یا ایمیل · Mobile or e-mail")
    password = password or prompts.ask_secret("گذرواژه · Password")
    async with peyvand.Operator(url, "", options=OPTIONS) as nobody:
        try:
            return await nobody.sign_in(login, password, device=device)
        except peyvand.Unauthorized as refused:
            if refused.code != "code-needed":
                raise
        code = prompts.ask("رمز یک‌بارمصرف · One-time code")
        return await nobody.sign_in(login, password, code=code, device=device)


async def enrol(url: str, token: str, prompts: Prompts) -> None:
    """Enrol a second factor in a session, which then has all rights of its user. Raises Problem."""
    factor = str(uuid.uuid4())
    async with peyvand.Operator(url, token, options=OPTIONS) as person:
        enrolled = await person.enrol_factor(factor)
        prompts.tell(f"برای برنامهٔ رمزساز · For your authenticator:\n  {enrolled.uri}")
        while True:
            code = prompts.ask("نخستین رمز آن · Its first code")
            try:
                confirmed = await person.confirm_factor(factor, code)
                break
            except peyvand.Forbidden as refused:
                if refused.code != "code-refused":
                    raise
                prompts.tell(f"{refused.fa} · {refused.detail}")
    codes = "\n  ".join(confirmed.recovery_codes or ())
    prompts.tell(f"رمزهای بازیابی، تنها همین یک بار · Recovery codes, this once:\n  {codes}")


async def run(options: argparse.Namespace, prompts: Prompts) -> OpenedSession:
    """What the command was told to do; the session. Raises Problem, OutcomeUnknown."""
    login, password = options.login, ""
    if options.accept:
        login, password = await accept(options.url, prompts)
    session = await sign_in(
        options.url, prompts, login=login, password=password, device=options.device
    )
    if options.second_factor:
        await enrol(options.url, session.token, prompts)
    elif session.withheld:
        names = ", ".join(session.withheld)
        prompts.tell(f"با عامل دوم (‎--second-factor) · With a second factor also: {names}")
    return session


def main(arguments: Sequence[str] | None = None, prompts: Prompts | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m peyvand.sign_in", description=__doc__)
    parser.add_argument("--url", default=os.environ.get("PEYVAND_URL", ""), help="the platform")
    parser.add_argument("--login", default="", help="mobile number or e-mail")
    parser.add_argument("--device", default="shell", help="a label for the list of sessions")
    parser.add_argument("--accept", action="store_true", help="accept an invitation first")
    parser.add_argument("--second-factor", action="store_true", help="enrol an authenticator")
    options = parser.parse_args(arguments)
    prompts = prompts or terminal_prompts()
    if not options.url:
        prompts.tell("‎--url یا PEYVAND_URL لازم است · --url or PEYVAND_URL is needed")
        return USAGE
    try:
        session = asyncio.run(run(options, prompts))
    except peyvand.Problem as refused:
        prompts.tell(f"{refused.fa} · {refused.detail}")
        return REFUSED
    except peyvand.OutcomeUnknown as unanswered:
        prompts.tell(f"پاسخی نرسید · No answer: {unanswered}")
        return UNANSWERED
    print(f"export PEYVAND_URL={shlex.quote(options.url)}")
    print(f"export PEYVAND_KEY={shlex.quote(session.token)}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())

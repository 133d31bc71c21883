"""The simulated SMS provider, driven by a public client of the real one and by plain HTTP."""

import asyncio
import datetime
import ipaddress
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import kavenegar
import pytest
import pytest_asyncio
import uvicorn
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulators.sms import app as simulator
from simulators.sms.exchange import Delivery, Exchange, parts

KEY = "5A6B7C"
ALI, SARA = "09121234567", "09351234567"


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1: the public client speaks https only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


class Provider:
    """A simulator that listens."""

    def __init__(self, exchange: Exchange, url: str) -> None:
        self.exchange = exchange
        self.url = url

    async def until(self, what: str, count: int) -> None:
        """Wait until a counter has reached a number."""
        async with asyncio.timeout(10):
            while getattr(self.exchange.counters, what) < count:  # noqa: ASYNC110  a plain number
                await asyncio.sleep(0.01)


async def _serve(exchange: Exchange, **options: Any) -> AsyncIterator[Provider]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        simulator.build(exchange, KEY), log_level="warning", access_log=False, **options
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  uvicorn tells nobody
            await asyncio.sleep(0.01)
        scheme = "https" if options else "http"
        yield Provider(exchange, f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
        server.should_exit = True
        await serving


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    exchange = Exchange()
    exchange.controls.delivery_delay_s = 0.02
    async for made in _serve(exchange):
        yield made


@pytest_asyncio.fixture
async def http(provider: Provider) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{provider.url}/v1/{KEY}", timeout=5) as client:
        yield client


@pytest_asyncio.fixture
async def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    certificate, key = _certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    exchange = Exchange()
    exchange.controls.delivery_delay_s = 0.02
    async for made in _serve(exchange, ssl_certfile=certificate, ssl_keyfile=key):
        yield made


def _public_client(provider: Provider, key: str = KEY) -> kavenegar.KavenegarAPI:
    client = kavenegar.KavenegarAPI(key)
    client.host = provider.url.removeprefix("https://")
    return client


async def test_the_public_client_sends_and_asks(secure: Provider) -> None:
    client = _public_client(secure)
    sent = await asyncio.to_thread(
        client.sms_send, {"receptor": f"{ALI},{SARA}", "message": "سلام", "localid": "1,2"}
    )
    assert [entry["receptor"] for entry in sent] == [ALI, SARA]
    await secure.until("delivered", 2)
    ids = ",".join(str(entry["messageid"]) for entry in sent)
    states = await asyncio.to_thread(client.sms_status, {"messageid": ids})
    assert [state["status"] for state in states] == [10, 10]
    (by_local,) = await asyncio.to_thread(client.sms_statuslocalmessageid, {"localid": "2"})
    assert by_local["messageid"] == sent[1]["messageid"]
    account = await asyncio.to_thread(client.account_info)
    assert account["remaincredit"] < 1_000_000_000


async def test_the_public_client_sends_arrays_as_repeated_keys(secure: Provider) -> None:
    client = _public_client(secure)
    parameters = {
        "receptor": [ALI, SARA],
        "sender": ["10004346", "10004346"],
        "message": ["یک", "دو"],
        "localmessageids": ["11", "12"],
    }
    first = await asyncio.to_thread(client.sms_sendarray, parameters)
    again = await asyncio.to_thread(client.sms_sendarray, parameters)
    assert [entry["messageid"] for entry in first] == [entry["messageid"] for entry in again]
    assert [entry["message"] for entry in first] == ["یک", "دو"]
    await secure.until("delivered", 2)
    assert secure.exchange.counters.delivered == 2
    assert secure.exchange.counters.repeated == 2


async def test_the_public_client_sees_errors_as_it_expects(secure: Provider) -> None:
    async def refused(method: Any, parameters: Any) -> str:
        with pytest.raises(kavenegar.APIException) as raised:
            await asyncio.to_thread(method, parameters)
        said: bytes = raised.value.args[0]
        return said.decode()

    good, bad = _public_client(secure), _public_client(secure, "wrong")
    message = {"receptor": ALI, "message": "سلام"}
    assert "APIException[403]" in await refused(bad.sms_send, message)
    assert "APIException[411]" in await refused(good.sms_send, message | {"receptor": "123"})
    assert "APIException[413]" in await refused(good.sms_send, message | {"message": "ا" * 901})
    assert "APIException[419]" in await refused(good.sms_send, message | {"localid": "1,2"})
    assert "APIException[420]" in await refused(good.sms_send, message | {"message": "http://x"})
    assert "APIException[404]" in await refused(good.sms_cancel, {"messageid": "1"})
    secure.exchange.change({"fail_next": 1, "fail_status": 418})
    assert "APIException[418]" in await refused(good.sms_send, message)
    assert len(await asyncio.to_thread(good.sms_send, message)) == 1


async def test_json_arrays_and_query_strings_are_understood(
    provider: Provider, http: httpx.AsyncClient
) -> None:
    form = {
        "receptor": json.dumps([ALI, SARA]),
        "sender": json.dumps(["1000", "1000"]),
        "message": json.dumps(["یک, دو", "[سه]"]),
        "localmessageids": json.dumps(["21", "22"]),
    }
    sent = (await http.post("/sms/sendarray.json", data=form)).json()
    assert [entry["message"] for entry in sent["entries"]] == ["یک, دو", "[سه]"]
    assert sent["return"] == {"status": 200, "message": "تایید شد"}
    query = {"receptor": "9121234567", "message": "hi", "sender": "1000"}
    one = await http.post("/sms/send.json", params=query)
    assert one.json()["entries"][0]["cost"] == 1_180
    assert (await http.get("/sms/send.json", params=query)).status_code == 200
    got = await http.get("/sms/sendarray.json", params=form)
    assert (got.status_code, got.json()["return"]["status"]) == (405, 405)
    short = await http.post("/sms/sendarray.json", data=form | {"sender": '["1000"]'})
    assert short.status_code == 419
    unreadable = await http.post("/sms/sendarray.json", data=form | {"sender": "[1000"})
    assert unreadable.status_code == 400
    many = json.dumps([ALI] * 201)
    three = {"receptor": many, "sender": many, "message": many}
    assert (await http.post("/sms/sendarray.json", data=three)).status_code == 414


async def test_outcomes_are_as_told_and_unknown_ids_are_said_so(
    provider: Provider, http: httpx.AsyncClient
) -> None:
    control = provider.url + "/controls"
    async with httpx.AsyncClient() as door:
        told = {"outcomes": {ALI: 11, SARA: 14}}
        assert (await door.post(control, json=told)).json()["outcomes"] == told["outcomes"]
        assert (await door.post(control, json={"nonsense": 1})).status_code == 422
        assert (await door.post(control, json={"fail_next": "x"})).status_code == 422
    receptors = {"receptor": f"{ALI},{SARA},09130000000", "message": "سلام", "localid": "a,b,c"}
    sent = (await http.post("/sms/send.json", data=receptors)).json()["entries"]
    await provider.until("undelivered", 2)
    await provider.until("delivered", 1)
    ids = [str(entry["messageid"]) for entry in sent]
    states = await http.post("/sms/status.json", data={"messageid": ",".join([*ids, "5"])})
    assert [state["status"] for state in states.json()["entries"]] == [11, 14, 10, 100]
    local = await http.post("/sms/statuslocalmessageid.json", data={"localid": "c,zz"})
    assert [state["status"] for state in local.json()["entries"]] == [10, 100]
    phone = await http.get(f"{provider.url}/phones/09130000000")
    assert [message["text"] for message in phone.json()] == ["سلام"]
    assert (await http.get(f"{provider.url}/phones/{ALI}")).json() == []
    page = (await http.get(f"{provider.url}/")).text
    assert "0912***4567" in page
    assert ALI not in page
    assert "رسیده به گیرنده" in page


async def test_half_a_batch_and_silence_after_accepting(
    provider: Provider, http: httpx.AsyncClient
) -> None:
    provider.exchange.change({"half_next": 1})
    form = {"receptor": ",".join([ALI] * 4), "message": "سلام", "localid": "1,2,3,4"}
    assert (await http.post("/sms/send.json", data=form)).status_code == 409
    assert provider.exchange.counters.accepted == 2
    assert (await http.post("/sms/send.json", data=form)).status_code == 200
    assert (provider.exchange.counters.accepted, provider.exchange.counters.repeated) == (4, 2)
    provider.exchange.change({"hang_next": 1, "hang_s": 5.0})
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/sms/send.json", data=form | {"localid": "5,6,7,8"}, timeout=0.2)
    assert provider.exchange.counters.accepted == 8


async def test_duplicates_on_a_phone_are_counted(
    provider: Provider, http: httpx.AsyncClient
) -> None:
    form = {"receptor": ALI, "message": "سلام", "localid": "1"}
    await http.post("/sms/send.json", data=form)
    provider.exchange.change({"dedupe": False})
    await http.post("/sms/send.json", data=form)
    await provider.until("delivered", 2)
    counters = (await http.get(f"{provider.url}/counters")).json()
    assert (counters["duplicates"], counters["distinct_localids"]) == (1, 1)
    assert (counters["calls"], counters["received"]) == (2, 2)


async def test_callbacks_come_again_until_they_are_heard(
    provider: Provider, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict[str, str]] = []

    async def listen(request: web.Request) -> web.Response:
        heard.append({k: str(v) for k, v in (await request.post()).items()})
        return web.Response(status=500 if len(heard) == 1 else 200)

    listening = web.Application()
    listening.router.add_post("/receipts/secret", listen)
    runner = web.AppRunner(listening)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/receipts/secret"
    provider.exchange.change({"callback_url": url})
    sent = await http.post("/sms/send.json", data={"receptor": ALI, "message": "سلام"})
    message_id = str(sent.json()["entries"][0]["messageid"])
    await provider.until("callbacks_sent", 1)
    assert heard == [{"messageid": message_id, "status": "10"}] * 2
    provider.exchange.change({"callbacks": False})
    await http.post("/sms/send.json", data={"receptor": ALI, "message": "دوم"})
    await provider.until("delivered", 2)
    await asyncio.sleep(0.1)
    assert len(heard) == 2
    await runner.cleanup()


def test_memory_is_bounded_and_old_messages_are_unknown() -> None:
    now = [1_000.0]
    exchange = Exchange(keep=3, now=lambda: now[0])
    sent = [exchange.accept(ALI, "x", "", f"l{n}") for n in range(5)]
    now[0] += 1
    assert len(exchange.deliver_due()) == 3
    assert exchange.wait_s() is None
    assert exchange.find(sent[0].message_id) is None
    assert exchange.find_local("l4") is sent[4]
    now[0] += 13 * 3600
    assert exchange.find_local("l4") is None
    assert exchange.find(sent[4].message_id) is sent[4]
    now[0] += 36 * 3600
    assert exchange.find(sent[4].message_id) is None
    assert sent[4].status is Delivery.DELIVERED


@pytest.mark.parametrize(
    ("text", "count"),
    [("a" * 160, 1), ("a" * 161, 2), ("ا" * 70, 1), ("ا" * 71, 2), ("ا" * 135, 3)],
)
def test_parts_are_priced(text: str, count: int) -> None:
    assert parts(text) == count


async def test_it_runs_as_a_process(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators.sms",
        env=dict(os.environ) | {"PEYVAND_HTTP_PORT": str(port), "PEYVAND_SMS_API_KEY": KEY},
    )
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(20):
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{port}/health/ready") as response:
                        assert response.status == 200
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 15) == 0

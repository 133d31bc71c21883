"""Files for the bank and from it: ISO 20022 pain.001.001.09, pain.002.001.10, and CSV.

An initiation is the same bytes whenever it is asked for: all in it is of its instructions' rows.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from xml.etree import ElementTree as Xml

import defusedxml.ElementTree as safe_xml
from defusedxml import DefusedXmlException

from contracts.text import digits_fa
from contracts.values import TEHRAN, ascii_digits
from merchants.settlement.domain.instructions import (
    BadAnswer,
    BankAnswer,
    Instruction,
    InstructionState,
)

PAIN_001: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_CSV_COLUMNS: Final = ("ردیف", "شناسهٔ پرداخت", "روش", "شبای مقصد", "نام گیرنده", "مبلغ (ریال)")
_ANSWER_COLUMNS: Final = ("reference", "status", "amount_rial", "reason")
_NAME_LENGTH_MAX: Final = 140  # Max140Text
_STATES_OF_CODES: Final = {  # ExternalPaymentTransactionStatus1Code
    "ACSC": InstructionState.PAID,
    "ACCC": InstructionState.PAID,
    "RJCT": InstructionState.REJECTED,
    "CANC": InstructionState.REJECTED,
}
_UNDECIDED: Final = frozenset({"ACCP", "ACSP", "ACTC", "ACWC", "PDNG", "RCVD", "PATC", "ACWP"})


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: the network's name and the Sheba of its settlement account."""

    name: str
    sheba: str


def pain_001(payer: Payer, instructions: Sequence[Instruction]) -> bytes:
    """A credit transfer initiation of one batch of payouts, at least one, by place."""
    first = instructions[0]
    message = f"PV{first.window}-P{first.batch}"
    at = first.instructed_at.astimezone(TEHRAN).replace(microsecond=0)
    root = Xml.Element("Document", xmlns=PAIN_001)
    initiation = Xml.SubElement(root, "CstmrCdtTrfInitn")
    header = Xml.SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", message)
    _text(header, "CreDtTm", at.isoformat())
    _sums(header, instructions)
    _text(Xml.SubElement(header, "InitgPty"), "Nm", payer.name[:_NAME_LENGTH_MAX])
    ordered = sorted(instructions, key=lambda one: (one.method, one.place))
    for method, group in groupby(ordered, key=lambda one: one.method):
        block = Xml.SubElement(initiation, "PmtInf")
        part = list(group)
        _text(block, "PmtInfId", f"{message}-{method.value}")
        _text(block, "PmtMtd", "TRF")
        _sums(block, part)
        local = Xml.SubElement(Xml.SubElement(block, "PmtTpInf"), "LclInstrm")
        _text(local, "Prtry", method.value.upper())
        _text(Xml.SubElement(block, "ReqdExctnDt"), "Dt", at.date().isoformat())
        _text(Xml.SubElement(block, "Dbtr"), "Nm", payer.name[:_NAME_LENGTH_MAX])
        _account(block, "DbtrAcct", payer.sheba)
        agent = Xml.SubElement(Xml.SubElement(block, "DbtrAgt"), "FinInstnId")
        _text(Xml.SubElement(agent, "Othr"), "Id", payer.sheba[4:7])  # the bank in the Sheba
        for one in part:
            _transfer(block, one)
    return Xml.tostring(root, encoding="utf-8", xml_declaration=True)


def _transfer(block: Xml.Element, one: Instruction) -> None:
    transfer = Xml.SubElement(block, "CdtTrfTxInf")
    ids = Xml.SubElement(transfer, "PmtId")
    _text(ids, "InstrId", one.reference)
    _text(ids, "EndToEndId", one.reference)
    amount = Xml.SubElement(Xml.SubElement(transfer, "Amt"), "InstdAmt", Ccy="IRR")
    amount.text = str(one.amount_rial)
    _text(Xml.SubElement(transfer, "Cdtr"), "Nm", one.name[:_NAME_LENGTH_MAX])
    _account(transfer, "CdtrAcct", one.sheba)
    _text(
        Xml.SubElement(transfer, "RmtInf"),
        "Ustrd",
        f"تسویهٔ پیوند، دورهٔ {digits_fa(one.window)}",
    )


def _sums(parent: Xml.Element, instructions: Sequence[Instruction]) -> None:
    _text(parent, "NbOfTxs", str(len(instructions)))
    _text(parent, "CtrlSum", str(sum(one.amount_rial for one in instructions)))


def _account(parent: Xml.Element, tag: str, sheba: str) -> None:
    account = Xml.SubElement(Xml.SubElement(parent, tag), "Id")
    _text(account, "IBAN", sheba)


def _text(parent: Xml.Element, tag: str, text: str) -> None:
    Xml.SubElement(parent, tag).text = text


def payouts_csv(instructions: Sequence[Instruction]) -> bytes:
    """The same payouts for a bank's upload page: UTF-8 with BOM, Persian headings, ASCII digits."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_CSV_COLUMNS)
    for one in instructions:
        method = "پایا" if one.method.value == "paya" else "ساتنا"
        name = one.name if one.name[:1] not in ("=", "+", "-", "@", "\t") else "'" + one.name
        writer.writerow((one.place, one.reference, method, one.sheba, name, one.amount_rial))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


# ---------------------------------------------------------------------------------------- answers


def read_pain_002(text: str) -> list[BankAnswer]:
    """What a payment status report says of single transactions; undecided ones are left out.

    A document type, an entity and whatever else XML can harm with is refused. Raises BadAnswer.
    """
    try:
        root: Xml.Element = safe_xml.fromstring(text.encode(), forbid_dtd=True)
    except (Xml.ParseError, DefusedXmlException, ValueError) as error:
        raise BadAnswer(f"this is no XML that can be read: {type(error).__name__}") from error
    space, _, tag = root.tag.rpartition("}")
    if tag != "Document" or not space.startswith("{urn:iso:std:iso:20022:tech:xsd:pain.002.001."):
        raise BadAnswer("this is no pain.002 document")
    prefix = space + "}"
    answers: list[BankAnswer] = []
    for status in root.iter(prefix + "TxInfAndSts"):
        reference = (status.findtext(prefix + "OrgnlEndToEndId") or "").strip()
        code = (status.findtext(prefix + "TxSts") or "").strip()
        if code in _UNDECIDED:
            continue
        if not reference or code not in _STATES_OF_CODES:
            raise BadAnswer(f"{reference or 'a transaction without id'}: status {code!r}")
        why = status.find(f"{prefix}StsRsnInf/{prefix}Rsn")
        reason = "" if why is None else "".join(why.itertext()).strip()
        amount = status.find(f"{prefix}OrgnlTxRef/{prefix}Amt/{prefix}InstdAmt")
        if amount is not None and amount.get("Ccy") != "IRR":
            raise BadAnswer(f"{reference}: its amount is not in Rial (IRR)")
        rial = None if amount is None else _rial(reference, amount.text or "")
        answers.append(BankAnswer(reference, _STATES_OF_CODES[code], reason[:200], rial))
    if not answers and not list(root.iter(prefix + "TxInfAndSts")):
        raise BadAnswer("the report names no transaction")
    return answers


def read_csv(text: str) -> list[BankAnswer]:
    """Lines of reference, status (paid, rejected, returned), amount_rial and reason, with headings.

    Digits may be Persian; a BOM is taken. Raises BadAnswer, which names the line.
    """
    if "\x00" in text:
        raise BadAnswer("the file holds a character that no text has (NUL)")
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        return _answers(rows)
    except csv.Error as error:
        raise BadAnswer(f"line {rows.line_num} is no CSV: {error}") from error


def _answers(rows: "csv.DictReader[str]") -> list[BankAnswer]:
    if rows.fieldnames is None or tuple(rows.fieldnames) != _ANSWER_COLUMNS:
        raise BadAnswer(f"the first line has to be {','.join(_ANSWER_COLUMNS)}")
    answers: list[BankAnswer] = []
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise BadAnswer(f"line {number} has not {len(_ANSWER_COLUMNS)} columns")
        reference = ascii_digits(row["reference"]).strip()
        if row["status"] not in ("paid", "rejected", "returned"):
            raise BadAnswer(f"line {number}: status {row['status']!r} is not known")
        rial = _rial(f"line {number}", row["amount_rial"]) if row["amount_rial"].strip() else None
        state = InstructionState(row["status"])
        answers.append(BankAnswer(reference, state, row["reason"].strip()[:200], rial))
    if not answers:
        raise BadAnswer("the file has no line after its headings")
    return answers


def _rial(where: str, text: str) -> int:
    """Whole Rial; the zeros that a bank writes behind the point are none. Raises BadAnswer."""
    whole, _, rest = ascii_digits(text).strip().replace(",", "").partition(".")
    if not (whole.isascii() and whole.isdigit()) or len(whole) > 18 or rest.strip("0"):
        raise BadAnswer(f"{where}: amount {text[:40]!r} is no whole Rial")
    return int(whole)

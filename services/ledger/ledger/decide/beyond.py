"""The commands beyond the road that move value between accounts, units, shards and parties."""

from typing import Any

from contracts.value import (
    ActivateCard,
    CloseWindow,
    ExchangeValue,
    GrantBudget,
    InstallTerms,
    ReceiveBudget,
    ReceiveValue,
    ReissueCard,
    ReturnValue,
    SendBudget,
    SendValue,
    SetStanding,
    SettlePosition,
    TopUpWallet,
)
from ledger.decide import budgets, cards, exchange, settlement, standings, terms, transfer
from ledger.decide.draft import Draft
from ledger.decide.verdicts import Said
from ledger.domain.book import Original


def say(draft: Draft, body: Any, original: Original | None) -> Said | None:
    """What becomes of a command; None where it is of no kind known here."""
    match body:
        case SendValue():
            return transfer.send(draft, body)
        case ReceiveValue():
            return transfer.receive(draft, body)
        case ReturnValue():
            return transfer.bring_back(draft, original)
        case ExchangeValue():
            return exchange.decide(draft, body)
        case ActivateCard():
            return cards.activate(draft, body)
        case ReissueCard():
            return cards.reissue(draft, body)
        case TopUpWallet():
            return cards.top_up(draft, body)
        case _:
            return _say_of_house(draft, body)


def sends_after_no(body: Any, code: str) -> list[tuple[int, Any]]:
    """What the ledger says next where a command was refused: value in transit goes back."""
    return [transfer.return_of(body, code)] if isinstance(body, ReceiveValue) else []


def _say_of_house(draft: Draft, body: Any) -> Said | None:
    match body:
        case GrantBudget():
            return budgets.grant(draft, body)
        case SendBudget():
            return budgets.send(draft, body)
        case ReceiveBudget():
            return budgets.receive(draft, body)
        case InstallTerms():
            return terms.install(draft, body)
        case SetStanding():
            return standings.decide(draft, body)
        case CloseWindow():
            return settlement.close_window(draft, body)
        case SettlePosition():
            return settlement.settle(draft, body)
        case _:
            return None

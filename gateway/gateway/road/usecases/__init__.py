"""What the other nouns use of the road: the bodies it takes and answers with."""

from typing import Final

from contracts import pos
from gateway.road.domain.requests import INTEGERS
from gateway.road.domain.shapes import HistoricPurchase, Transaction
from gateway.road.usecases.sending import Accepted

BODIES: Final = (Transaction, HistoricPurchase, pos.Answer, pos.Preview, Accepted)
INTEGER_FIELDS: Final = INTEGERS  # that a body may hold as digits of any of three scripts

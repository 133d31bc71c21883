"""python -m ledger serve, work or migrate."""

from kit import run
from ledger.main import SERVICE

run.main(SERVICE)

"""python -m campaigns serve, work or migrate."""

from campaigns.main import SERVICE
from kit import run

run.main(SERVICE)

"""python -m fraud serve, work or migrate."""

from fraud.main import SERVICE
from kit import run

run.main(SERVICE)

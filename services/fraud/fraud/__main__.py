"""python -m fraud serve, work or migrate."""

from fraud.main import MAIN
from kit import run

run.main(MAIN)

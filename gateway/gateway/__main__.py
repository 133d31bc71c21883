"""python -m gateway serve."""

from gateway.main import MAIN
from kit import run

run.main(MAIN)

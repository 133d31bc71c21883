"""python -m gateway serve."""

from gateway.main import SERVICE
from kit import run

run.main(SERVICE)

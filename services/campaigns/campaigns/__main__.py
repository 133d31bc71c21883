"""python -m campaigns serve, work or migrate."""

from campaigns.main import MAIN
from kit import run

if __name__ == "__main__":
    run.main(MAIN)

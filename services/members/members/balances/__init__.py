"""What the ledger last said of each account."""

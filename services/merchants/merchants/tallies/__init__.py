"""Days of merchants, as the ledger tells them."""

"""Speed: of the ledger alone, and of the whole road."""

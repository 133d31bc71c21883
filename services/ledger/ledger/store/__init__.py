"""All the ledger's SQL: posting a batch, reading for people, what is due."""

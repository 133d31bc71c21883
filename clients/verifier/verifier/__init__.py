"""The auditor's program: checks the book of a Peyvand ledger, sharing no code with it."""

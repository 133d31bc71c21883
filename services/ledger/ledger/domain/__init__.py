"""The ledger's pure rules: values, chart of accounts, lots, money leg, words, errors."""

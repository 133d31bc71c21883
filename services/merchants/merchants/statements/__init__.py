"""Statements: what a party was owed and owed in a closed window, line by line, and reconciled."""

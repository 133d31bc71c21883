"""People, the accounts they share, their consents and sealed contacts."""

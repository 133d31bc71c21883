"""Rules and values of clearing."""

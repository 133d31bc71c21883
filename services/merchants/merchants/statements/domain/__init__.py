"""Rules and values of statements."""

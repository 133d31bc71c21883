"""Sessions: signing in, and the end of it."""

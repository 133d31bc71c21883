"""Password changes: everybody his own."""

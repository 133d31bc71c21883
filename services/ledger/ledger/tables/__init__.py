"""Tables that several wings read: their columns, and their rows as values."""

"""Query: the book as it is and as it was."""

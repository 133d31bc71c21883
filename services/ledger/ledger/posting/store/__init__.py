"""SQL of the posting transaction, and of what is due."""

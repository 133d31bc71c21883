"""What a batch decided, put into the book and sealed in the log."""

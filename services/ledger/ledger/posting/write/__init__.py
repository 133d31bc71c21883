"""A batch's decisions, written into the book and sealed in the log."""

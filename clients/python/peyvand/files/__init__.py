"""Files that somebody brings: lines of text, rows of CSV."""

"""Terminal status: an operator stops a terminal, or all of a merchant's, or opens them again."""

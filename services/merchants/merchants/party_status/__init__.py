"""Party status: an operator stops a party, or opens it again."""

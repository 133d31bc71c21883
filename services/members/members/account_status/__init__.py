"""Account status: an operator stops an account, or opens it again."""

"""Pure rules and values, one module a noun; `words` is what they share."""

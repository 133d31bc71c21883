"""The ledger's benchmark: W1 to W7 from one generator, beside bare double entry on one server."""

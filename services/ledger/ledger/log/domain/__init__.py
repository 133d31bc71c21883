"""Pure rules of the log, and prior postings read from its leaves."""

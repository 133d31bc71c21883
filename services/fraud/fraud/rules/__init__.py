"""Rules of fraud: versions as data, each with a count, a threshold and an action."""

"""Rules of fraud: versions as data, what they count and what they ask for."""

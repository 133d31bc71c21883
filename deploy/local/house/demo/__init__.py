"""The demo: weeks of real shopping through a sandbox house, then a report."""

"""The demo: weeks of real shopping through a sandbox cluster, then a report."""

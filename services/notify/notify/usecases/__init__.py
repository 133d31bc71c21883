"""The verbs of notify: queue what outcomes call for, hand it over once, follow its delivery."""

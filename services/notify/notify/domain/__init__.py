"""Pure rules of notify: what is told, in which words, in how many parts, and how it ends."""

"""Rules as data: published versions, the typed engine that runs them, and what they give."""

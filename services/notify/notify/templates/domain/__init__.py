"""Rules of templates: what an outcome moved, the texts in Persian and English, their segments."""

"""Rules: patterns over files that arrive become calls.  Pure: what matches, what has settled, what is released."""

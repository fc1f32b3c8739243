"""Doing it: answering calls at once, and carrying out plans."""

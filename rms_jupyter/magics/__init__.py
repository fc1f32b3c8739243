"""``%rms`` and ``%%rms``: one module a sub-command; each parses, calls the session, and displays."""

"""Keeping it: journals (the truth), a database over them (an index), and content by digest."""

"""Asking the record in SQL, and the database that is asked."""

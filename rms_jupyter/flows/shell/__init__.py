"""A command as the body of a pipe."""

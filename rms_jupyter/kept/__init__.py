"""How arguments and code are kept exactly, so that a task can run again elsewhere."""

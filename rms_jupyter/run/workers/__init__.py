"""Where tasks run: processes, threads and clusters, and what travels to them."""

"""One task while it runs, in the kernel or in a worker: what it gives, shows, changes and costs."""

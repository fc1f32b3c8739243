"""What the user holds: pipes, resources, tasks, plans, and how they look."""

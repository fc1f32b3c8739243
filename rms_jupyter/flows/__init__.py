"""Ways to make pipes and plans: from notebook cells."""

"""How does a notebook cell become a pipe?  What it reads and assigns, what of it always runs, and how it is described."""

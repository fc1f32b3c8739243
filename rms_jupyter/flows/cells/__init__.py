"""How does a notebook cell become a pipe?  What it reads, assigns and defines, and how it is described."""

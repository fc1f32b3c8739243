"""Scripts and notebooks as pipes: their code, how they run, how they stand, and the queue of those to run."""

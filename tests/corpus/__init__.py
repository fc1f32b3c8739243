"""Whether a notebook gives with rms what it gives without: each run in several ways, and compared cell by cell."""

"""One call: what it is, whether the store answers it, and the record it becomes."""

"""The figures that tasks make: caught whatever becomes of them, and saved as files that know which task made them."""

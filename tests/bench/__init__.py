"""Benchmarks: each in a process of its own, beside its peers in the same run; never a timed test."""

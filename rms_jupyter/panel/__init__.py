"""The widgets, and the questions that front ends ask of the kernel."""

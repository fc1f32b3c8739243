"""What goes on without a cell: rules that wait for files."""

"""What makes two calls the same: code, values, files."""

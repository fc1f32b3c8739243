"""What a person is shown of a thing, as values and as they look."""

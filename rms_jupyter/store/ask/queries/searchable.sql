SELECT id, kind, pipe, path, args, globals, status, k, text FROM searchable

SELECT id, kind, k FROM searchable

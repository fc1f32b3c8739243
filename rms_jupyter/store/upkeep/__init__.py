"""Keeping a store in order: what was left by the dead, room, trust, damage."""

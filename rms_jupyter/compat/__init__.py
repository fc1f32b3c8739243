"""How does one move here from another cache?  By changing one import."""

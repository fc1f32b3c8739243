"""What a lineage is turned into, to be used without this package: scripts, notebooks, graphs."""

"""The pure law of the land: names and rights. Standard library only."""

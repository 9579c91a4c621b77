"""The pure core: geometry, terrain, motion. Standard library and NumPy only, no clock, no I/O."""

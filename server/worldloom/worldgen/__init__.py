"""Worldgen: makes regions available, with an outcome for each."""

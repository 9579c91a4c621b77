"""The trained generator: its model, its training, and the source that weaves regions with it. Needs torch."""

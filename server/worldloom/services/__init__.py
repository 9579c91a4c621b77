"""Use cases: synchronous functions fn(tx, command) that decide what SQL remembers."""

"""EXPLAIN: what logs say in, causes with their evidence out. Pure."""

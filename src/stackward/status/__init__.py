"""The state of a run, a move or a service; for facts, steps, checks and the engine alike."""

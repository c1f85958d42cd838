"""How a run, a move or a service stands; for facts, steps, checks and the engine alike."""

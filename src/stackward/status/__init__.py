"""How a move or a service stands, as the ports show it; for facts, steps and checks alike."""

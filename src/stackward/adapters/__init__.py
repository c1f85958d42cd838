"""TALK: the outside world. The only room with client imports."""

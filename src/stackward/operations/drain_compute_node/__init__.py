"""Empty a compute node that is alive, for maintenance."""

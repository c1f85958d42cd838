"""PLAN: one folder per operation, named by its verb phrase; none imports another."""

"""JUDGE: whether a cloud is well: one look, and what its answers mean, by the anatomy."""

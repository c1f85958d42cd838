"""The scenes of the lab's day, in their order."""

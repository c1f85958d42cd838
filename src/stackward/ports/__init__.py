"""What we may ask of the world, as protocols. The engine needs none of them but the clock."""

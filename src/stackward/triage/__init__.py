"""WHY A SERVER DOES NOT BOOT: what was read in, causes with their evidence out. Pure."""

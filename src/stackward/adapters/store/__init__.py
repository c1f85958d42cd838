"""Where runs are remembered and carried on: SQLite by default, PostgreSQL by its URL."""

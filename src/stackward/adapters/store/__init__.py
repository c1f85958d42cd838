"""Where runs are stored and resumed from: SQLite by default, PostgreSQL by its URL."""

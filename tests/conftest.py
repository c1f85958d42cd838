"""For all tests: the plugins they use."""

pytest_plugins = ["no_skips", "postgres", "pytester"]

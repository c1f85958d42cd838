"""LOGS: lines of many formats become events, groups of errors, and the story of a request. Pure."""

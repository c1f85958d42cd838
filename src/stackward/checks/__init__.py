"""VERIFY: one question each, asked before and after."""

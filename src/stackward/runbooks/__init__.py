"""PLAN: one file per operation; a pure function from facts to a Plan."""

"""SHOW: tables, plans and errors as text and data. No I/O, no decisions."""

"""Stackward: day-2 operations for OpenStack clouds."""

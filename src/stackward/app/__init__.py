"""The one place where adapters are chosen and handed to the rest.

Each module here is imported by what needs it, and not before: listing runs needs no cloud.
"""

"""Nouns: frozen values. No I/O, no clients."""

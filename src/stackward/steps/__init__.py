"""CHANGE: one small repeatable verb per class. The only room that changes things."""

"""MOVE: how servers move in any operation: judged, packed, their steps, their time. Pure."""

"""READ: turn what the ports answer into model values. Never changes anything."""

"""ASK: what may be asked for, one plain value per operation; one operation can name another's."""

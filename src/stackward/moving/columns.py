"""What a plan's table shows of each server that moves, or of a node that is changed."""

from stackward.plan import Columns, Json, Move
from stackward.wording import in_size


def _row(move: Move) -> tuple[Json, ...]:
    return (move.thing, move.thing_id, move.how, _where(move), _copied(move), _wish(move))


def _where(move: Move) -> str:
    target = move.expects.get("target")
    if move.expects.get("pinned"):
        return str(target)
    if target is None:
        return "scheduler's choice"
    return f"scheduler's choice, expected {target}"


def _copied(move: Move) -> str | None:
    size = move.expects.get("bytes")
    return in_size(size) if isinstance(size, int) else None


def _wish(move: Move) -> str | None:
    wish = move.expects.get("wish")
    return wish if isinstance(wish, str) else None


SERVER_MOVES = Columns(
    names=("Server", "ID", "How", "To", "Copied", "Wish"),
    row=_row,
    outcome=("Server", "ID", "How", "To", "State", "Seconds", "Downtime"),
    gives_way=("Wish", "ID", "Copied"),
)


def _node(move: Move) -> tuple[Json, ...]:
    return (move.thing, move.how)


NODE_CHANGES = Columns(
    names=("Node", "How"), row=_node, outcome=("Server", "ID", "How", "State", "Seconds")
)

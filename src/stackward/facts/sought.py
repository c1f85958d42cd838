"""The server whose story is wanted: by its name, and what Nova itself knows of its requests."""

from stackward.errors import BadInput
from stackward.facts.named import several
from stackward.logs.story import Link
from stackward.ports.nova import Nova


def read_sought(nova: Nova, word: str) -> tuple[str, dict[str, Link]]:
    """Return the id of a server, and the ids of its requests and moves by Nova's own records.

    Raises BadInput where no server, or more than one, has that name.
    """
    # An empty word (such as a shell variable that is not set) must not become a search for all.
    found = nova.servers_called(word) if word.strip() else ()
    if not found:
        raise BadInput(
            f"Nova has no server `{word}`",
            hint="of one that was deleted, name the id; of other things, too",
        )
    if len(found) > 1:
        raise several("server", word, [f"{one.id}  {one.status}" for one in found])
    return found[0].id, known_links(nova, found[0].id)


def known_links(nova: Nova, server: str) -> dict[str, Link]:
    """Return what Nova's action log and its migrations say of a server."""
    actions = [
        Link(id=one.request_id, kind="request", why=f"Nova's action log has it: {one.action}")
        for one in nova.actions_of(server)
    ]
    moves = [
        Link(id=one.uuid, kind="migration", why=f"Nova has this {one.kind} of the server")
        for one in nova.migrations_of_server(server)
    ]
    return {one.id: one for one in (*actions, *moves)}

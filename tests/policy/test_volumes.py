"""What each pair of Nova's and Cinder's words on a volume is taken for, and what is advised.

Nova has the volume attached to the server, in every row.
"""

import pytest

from builders import a_server, an_id
from stackward.model.volume import Volume
from stackward.plan import Blocked
from stackward.policy.volumes import ALL, judge_volumes

DB = an_id("db-01")
OWN = ((DB, "compute-07"),)
OTHER = ((an_id("web-1"), "compute-08"),)


def judged(**volume: object) -> list[Blocked]:
    """Return what stands against a server with one volume."""
    its = Volume(**{"id": "v", "attached": OWN, **volume})  # type: ignore[arg-type]  # by name
    server = a_server(volume_ids=("v",), volumes=(its,))
    return [each for each in judge_volumes(server) if isinstance(each, Blocked)]


WAIT, NEVER = "wait until it is `in-use`", "waiting changes nothing"


@pytest.mark.parametrize(
    ("status", "attached", "rule", "begins", "leads_to"),
    [
        pytest.param("attaching", OWN, "volume-busy", WAIT, "server event list", id="attaching"),
        pytest.param("detaching", OWN, "volume-busy", "wait 3 minutes", "reattach", id="detaching"),
        pytest.param("extending", OWN, "volume-busy", WAIT, "volume service list", id="extending"),
        pytest.param("retyping", OWN, "volume-busy", WAIT, "volume service list", id="retyping"),
        pytest.param("uploading", OWN, "volume-busy", WAIT, "volume service list", id="uploading"),
        pytest.param("backing-up", OWN, "volume-busy", WAIT, "volume service list", id="backup"),
        pytest.param(
            "restoring-backup", OWN, "volume-busy", WAIT, "volume service list", id="restoring"
        ),
        pytest.param("maintenance", OWN, "volume-busy", WAIT, "volume service list", id="upkeep"),
        pytest.param(
            "available",
            (),
            "volume-apart",
            NEVER,
            "volume_attachment refresh",
            id="F36: available, attached to nobody",
        ),
        pytest.param(
            "available",
            OWN,
            "volume-apart",
            NEVER,
            "volume set --state in-use",
            id="available, but its attachment is there: only the word was changed",
        ),
        pytest.param(
            "reserved", (), "volume-apart", NEVER, "volume_attachment refresh", id="reserved"
        ),
        pytest.param(
            "reserved", OWN, "volume-apart", NEVER, "set --state in-use", id="reserved, attached"
        ),
        pytest.param(
            "in-use",
            OTHER,
            "volume-apart",
            NEVER,
            "they write over each other",
            id="in use, by another server",
        ),
        pytest.param(
            "in-use", (), "volume-apart", NEVER, "volume_attachment refresh", id="in use, by nobody"
        ),
        pytest.param(
            "awaiting-transfer", (), "volume-apart", NEVER, "server remove volume", id="given away"
        ),
        pytest.param("creating", (), "volume-apart", NEVER, "remove volume", id="still made"),
        pytest.param("downloading", (), "volume-apart", NEVER, "remove volume", id="downloading"),
        pytest.param("managing", (), "volume-apart", NEVER, "remove volume", id="taken over"),
        pytest.param(
            "error_detaching",
            OWN,
            "volume-in-error",
            NEVER,
            "volume set --state in-use",
            id="F36: error_detaching",
        ),
        pytest.param(
            "error_attaching", OWN, "volume-in-error", NEVER, "set --state in-use", id="attaching"
        ),
        pytest.param("error", OWN, "volume-in-error", NEVER, "volume message list", id="error"),
        pytest.param(
            "error_extending", OWN, "volume-in-error", NEVER, "message list", id="error: extending"
        ),
        pytest.param(
            "error_backing-up", OWN, "volume-in-error", NEVER, "message list", id="error: backup"
        ),
        pytest.param(
            "error_restoring", OWN, "volume-in-error", NEVER, "ask its owner", id="error: restoring"
        ),
        pytest.param(
            "error_managing", OWN, "volume-in-error", NEVER, "message list", id="error: taken over"
        ),
        pytest.param("deleting", OWN, "volume-in-error", NEVER, "message list", id="deleting"),
        pytest.param(
            "error_deleting", OWN, "volume-in-error", NEVER, "message list", id="error: deleting"
        ),
        pytest.param(
            "teleporting", OWN, "volume-in-error", NEVER, "message list", id="a word of the future"
        ),
    ],
)
def test_what_ends_a_state(
    status: str, attached: tuple[tuple[str, str], ...], rule: str, begins: str, leads_to: str
) -> None:
    [blocker] = judged(status=status, attached=attached)

    assert blocker.worry == rule
    assert blocker.remedy.startswith(begins)
    assert leads_to in blocker.remedy
    assert "{" not in blocker.remedy


def test_a_volume_of_several_servers_is_at_rest() -> None:
    assert judged(attached=(*OTHER, *OWN)) == []


@pytest.mark.parametrize("status", [None, "", "none", "success", "error"])
def test_a_migration_between_backends_that_is_over_is_at_rest(status: str | None) -> None:
    assert judged(migration_status=status) == []


def test_what_resets_or_removes_something_begins_with_a_look_at_the_guest() -> None:
    """Neither Nova's word nor Cinder's is enough: they disagree."""
    changing = [
        state.status
        for state in ALL.values()
        if "remove volume" in state.advice or "--state" in state.advice
    ]
    looking = [
        state.status
        for state in ALL.values()
        if "virsh dumpxml" in state.advice or "ask its owner" in state.advice
    ]

    assert changing == looking

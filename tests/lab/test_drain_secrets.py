"""One real drain among planted secrets, and the account that `run audit` gives of it."""

import getpass
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.drains import Drains, drains_in
from real_lab import RealLab

PASSWORD = "Planted-pa55-keystone"  # noqa: S105  # planted, to be looked for
METADATA = "planted-metadata-4711"
USER = "planted-admin"
# As Keystone writes it; not the like in the middle of something in base64.
TOKEN = re.compile(rb"(?<![\w+/-])gAAAA[A-Za-z0-9_-]{16,}")


@dataclass
class Drained:
    """What a drain has shown and left, by where that was found, and the account of it."""

    drains: Drains
    server: str
    node: str
    places: dict[str, bytes] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)

    def keep(self, name: str, *words: str) -> str:
        """Run a command and keep what it says."""
        ended = self.drains.call("--debug", *words)
        assert ended.returncode == 0, ended.stderr
        self.places[name] = (ended.stdout + ended.stderr).encode()
        return ended.stdout

    def watch(self) -> None:
        """Keep the command line of every process, and the environment of those of the drain."""
        state = str(self.drains.folder).encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended
                line = (process / "cmdline").read_bytes()
                environment = (process / "environ").read_bytes()
                self.places[f"cmdline of {line!r}"] = line
                if state in environment:
                    self.places[f"environment of {line!r}"] = environment

    @property
    def found(self) -> list[str]:
        """Return where a secret is found."""
        planted = (PASSWORD.encode(), METADATA.encode())
        return [
            name
            for name, text in self.places.items()
            if any(each in text for each in planted) or TOKEN.search(text)
        ]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of a kind."""
        return [each for each in self.records if each["record"] == kind]


@pytest.fixture(scope="module")
def drained(
    drain_lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drained]:
    """Given a node that an administrator has drained whose password is known to nobody else."""
    folder, secret = tmp_path_factory.mktemp("state"), tmp_path_factory.mktemp("secret")
    identity = drain_lab.cloud.identity
    for left in identity.users(name=USER):
        identity.delete_user(left)
    user = identity.create_user(name=USER, password=PASSWORD, domain_id="default")
    project, role = identity.find_project("admin"), identity.find_role("admin")
    identity.assign_project_role_to_user(project, user, role)
    clouds = yaml.safe_load(drain_lab.spec.clouds_yaml.read_text())
    [auth] = [
        each["auth"] for each in clouds["clouds"].values() if each["auth"]["username"] == "admin"
    ]
    auth |= {"username": USER, "password": PASSWORD}
    (secret / "clouds.yaml").write_text(yaml.safe_dump(clouds))
    with drains_in(drain_lab, folder) as drains:
        drains.environment["OS_CLIENT_CONFIG_FILE"] = str(secret / "clouds.yaml")
        drains.remove_left_over("secrets-")
        server = drains.boot("secrets-1", nodes[1])
        drains.wait_for_guests([server])
        drain_lab.cloud.compute.set_server_metadata(server, db_password=METADATA)
        made = Drained(drains, server, nodes[1])
        drain(made)
        yield made
        drains.remove(server)
    identity.delete_user(user)


def drain(made: Drained) -> None:
    """Drain the node, watching all the time, and then ask for all that can be known of that."""
    planned, plan = made.drains.plan(made.node)
    assert planned.code == 0, planned.said
    going = made.drains.apply(plan)
    while going.process.poll() is None:
        made.watch()
        time.sleep(0.1)
    ended = going.ended()
    assert ended.code == 0, ended.said
    made.places |= {"the plan": planned.said.encode(), "the run": ended.said.encode()}
    run = made.drains.run["ID"]
    made.keep("show", "run", "show", run, "--events")
    made.keep("show as data", "run", "show", run, "--events", "-f", "json")
    made.keep("audit", "run", "audit", run)
    exported = made.keep("audit as data", "run", "audit", run, "--export")
    made.records = [json.loads(line) for line in exported.splitlines()]
    made.places |= {
        str(path): path.read_bytes() for path in made.drains.folder.rglob("*") if path.is_file()
    }


def test_no_secret_is_seen_while_a_node_is_drained_or_left_anywhere(drained: Drained) -> None:
    looked_at = " ".join(drained.places)

    assert drained.found == []
    assert all(
        word in looked_at
        for word in ("cmdline of", "environment of", "journal.sqlite", "plan-0.json")
    )


def test_the_account_names_who_asked_and_who_approved(drained: Drained) -> None:
    [run], [approval] = drained.of("run"), drained.of("approval")

    assert (run["asked_by"], run["state"]) == (getpass.getuser(), "succeeded")
    assert (approval["by"], approval["how"]) == (getpass.getuser(), "--yes")


def test_nova_knows_the_requests_of_the_account(drained: Drained) -> None:
    by_kind = {each["kind"]: each["request_ids"] for each in drained.of("attempt")}
    actions = drained.drains.lab.cloud.compute.get(f"/servers/{drained.server}/os-instance-actions")
    known = {each["request_id"] for each in actions.json()["instanceActions"]}
    [cordon] = by_kind["cordon"]
    log = drained.drains.lab.on(
        "ctl", f"grep -rlF {cordon} /var/log/nova || journalctl -q -n 1 -g {cordon}"
    )

    assert {*by_kind["live-migrate"]} <= known
    assert by_kind["live-migrate"]
    assert log.strip()


def test_each_attempt_and_each_proof_tells_what_was_read(drained: Drained) -> None:
    attempts, proofs = drained.of("attempt"), drained.of("proof")
    [move] = [each for each in attempts if each["kind"] == "live-migrate"]

    assert {each["state"] for each in attempts} == {"done"}
    assert (move["thing_id"], bool(move["mark"]), bool(move["saw"])) == (drained.server, True, True)
    assert {each["outcome"] for each in proofs} == {"proved"}
    assert f"no servers are on `{drained.node}`" in {each["text"] for each in proofs}

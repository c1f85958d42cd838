"""Faults are made, remembered and mended by name; what was half made can be mended too."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.scenes.test_60_faults import SOAKED
from lab_builders import a_lab
from stackward.errors import BadInput, Refused, StepFailed, Unreachable
from stackward.lab.faults import (
    ALL,
    FAULTS,
    Fault,
    Mended,
    Target,
    break_lab,
    chosen_scene,
    in_force,
    mend_lab,
    named,
)
from stackward.lab.scene import Scene
from stackward.lab.service_faults import LOGIN
from stackward.lab.spec import Lab

IN_ISSUE = 39
SOAK = Path(__file__).parents[1] / "lab" / "soak"


class Bulb:
    """Something that a fault can break."""

    def __init__(self) -> None:
        self.is_broken = False
        self.mended_with: dict[str, str] = {}

    def smash(self, scene: Scene) -> None:
        self.is_broken = True
        scene.remembered["colour"] = "green"

    def replace(self, scene: Scene) -> None:
        self.is_broken = False
        self.mended_with = dict(scene.remembered)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return a_lab(tmp_path, profile="scale")


@pytest.fixture
def bulb() -> Bulb:
    return Bulb()


def a_fault(bulb: Bulb, **changes: Any) -> dict[str, Fault]:  # noqa: ANN401  # a field's own type
    """Return the one fault there is; nothing is waited for."""
    fields: dict[str, Any] = {
        "name": "bulb",
        "what": "the bulb is smashed",
        "symptom": "it is dark",
        "target": Target.NODE,
        "make": bulb.smash,
        "seen": lambda _: bulb.is_broken,
        "mend": bulb.replace,
        "gone": lambda _: not bulb.is_broken,
        "seen_within_s": -1,
        "gone_within_s": -1,
    }
    return {"bulb": Fault(**{**fields, **changes})}


def never(_: Scene) -> bool:
    return False


def fails(_: Scene) -> None:
    raise StepFailed("the ladder broke")


def records(lab: Lab) -> list[tuple[str, str, dict[str, str]]]:
    return [(made.fault, made.target, made.remembered) for made in in_force(lab)]


def test_a_lab_has_no_faults_at_first(lab: Lab) -> None:
    assert in_force(lab) == []


def test_a_fault_that_was_made_is_on_record(lab: Lab, bulb: Bulb) -> None:
    hit = break_lab(lab, "bulb", "c02", a_fault(bulb))

    assert (hit, bulb.is_broken) == ("c02", True)
    assert records(lab) == [("bulb", "c02", {"colour": "green"})]


def test_a_fault_that_was_mended_is_off_the_record(lab: Lab, bulb: Bulb) -> None:
    faults = a_fault(bulb)
    break_lab(lab, "bulb", "c02", faults)

    hit = mend_lab(lab, "bulb", "c02", faults)

    assert (hit, bulb.is_broken, records(lab)) == (Mended(target="c02"), False, [])


def test_mending_knows_what_making_left(lab: Lab, bulb: Bulb) -> None:
    faults = a_fault(bulb)
    break_lab(lab, "bulb", "c02", faults)

    mend_lab(lab, "bulb", None, faults)

    assert bulb.mended_with == {"colour": "green"}


def test_the_same_fault_in_the_same_place_is_refused_with_how_to_mend_it(
    lab: Lab, bulb: Bulb
) -> None:
    faults = a_fault(bulb)
    break_lab(lab, "bulb", "c02", faults)

    with pytest.raises(Refused) as refused:
        break_lab(lab, "bulb", "c02", faults)

    assert refused.value.message == "`bulb` is in force on `c02` already"
    assert refused.value.hint == "`stackward lab mend bulb c02` removes it"


def test_the_same_fault_may_be_in_two_places(lab: Lab, bulb: Bulb) -> None:
    faults = a_fault(bulb)
    break_lab(lab, "bulb", "c01", faults)
    break_lab(lab, "bulb", "c02", faults)

    mend_lab(lab, "bulb", "c02", faults)

    assert [target for _, target, _ in records(lab)] == ["c01"]


def test_a_symptom_that_does_not_come_is_a_failure_that_can_be_mended(lab: Lab, bulb: Bulb) -> None:
    faults = a_fault(bulb, seen=never)

    with pytest.raises(StepFailed) as failed:
        break_lab(lab, "bulb", "c02", faults)
    mend_lab(lab, "bulb", "c02", faults)

    assert failed.value.message == (
        "`bulb` was made on `c02`, and its symptom is not seen: it is dark"
    )
    assert failed.value.hint == "`stackward lab mend bulb c02`"
    assert (bulb.is_broken, records(lab)) == (False, [])


def test_a_fault_that_died_while_it_was_made_can_be_mended(lab: Lab, bulb: Bulb) -> None:
    with pytest.raises(StepFailed, match="ladder"):
        break_lab(lab, "bulb", "c02", a_fault(bulb, make=fails))

    assert mend_lab(lab, "bulb", None, a_fault(bulb)) == Mended(target="c02")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"gone": never}, id="its symptom stays"),
        pytest.param({"mend": fails}, id="it cannot be mended"),
    ],
)
def test_a_fault_that_was_not_mended_stays_on_record(
    lab: Lab, bulb: Bulb, changes: dict[str, Callable[[Scene], Any]]
) -> None:
    break_lab(lab, "bulb", "c02", a_fault(bulb))

    with pytest.raises(StepFailed):
        mend_lab(lab, "bulb", "c02", a_fault(bulb, **changes))

    assert [target for _, target, _ in records(lab)] == ["c02"]


@pytest.mark.parametrize(
    ("target", "message"),
    [(None, "`bulb` is not in force"), ("c01", "`bulb` is not in force on `c01`")],
)
def test_what_is_not_broken_is_not_mended(
    lab: Lab, bulb: Bulb, target: str | None, message: str
) -> None:
    with pytest.raises(Refused) as refused:
        mend_lab(lab, "bulb", target, a_fault(bulb))

    assert refused.value.message == message
    assert refused.value.hint == "`stackward lab status` shows the faults that are"


def test_a_fault_in_two_places_is_mended_where_it_is_said(lab: Lab, bulb: Bulb) -> None:
    faults = a_fault(bulb)
    break_lab(lab, "bulb", "c01", faults)
    break_lab(lab, "bulb", "c02", faults)

    with pytest.raises(Refused) as refused:
        mend_lab(lab, "bulb", None, faults)

    assert refused.value.message == "`bulb` is in force on more than one target"
    assert refused.value.details == ("`c01`", "`c02`")


def test_a_record_that_cannot_be_read_is_refused_with_its_place(lab: Lab, bulb: Bulb) -> None:
    (lab.folder / "faults.json").write_text("[{")

    with pytest.raises(Refused) as refused:
        break_lab(lab, "bulb", "c02", a_fault(bulb))

    assert str(lab.folder / "faults.json") in refused.value.message
    assert (
        refused.value.hint == "`stackward lab reset --name lab` starts the lab from the beginning"
    )
    assert not bulb.is_broken


def test_a_record_is_replaced_as_a_whole(lab: Lab, bulb: Bulb) -> None:
    break_lab(lab, "bulb", "c02", a_fault(bulb))

    stored = json.loads((lab.folder / "faults.json").read_text())

    assert [sorted(entry) for entry in stored] == [
        ["called", "fault", "remembered", "since", "target"]
    ]
    assert not (lab.folder / "faults.new").exists()


def test_faults_that_are_made_at_the_same_time_are_all_on_record(lab: Lab, bulb: Bulb) -> None:
    names = [f"bulb-{number}" for number in range(20)]
    faults = {name: a_fault(bulb, name=name)["bulb"] for name in names}

    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        list(pool.map(lambda name: break_lab(lab, name, "c02", faults), names))

    assert sorted(made.fault for made in in_force(lab)) == sorted(names)


# --- faults of servers, which may be deleted ---


@dataclass(frozen=True)
class Server:
    """A server, as the SDK has it."""

    id: str
    name: str
    status: str = "ACTIVE"


class Servers:
    """The servers of a cloud, which is also its compute service."""

    def __init__(self, *there: Server) -> None:
        self.there = list(there)
        self.compute = self

    def log_in(self, _: Lab) -> "Servers":
        return self

    def servers(self, *, all_projects: bool) -> Iterator[Server]:
        assert all_projects
        return iter(self.there)


def broken_in_server(
    lab: Lab,
    bulb: Bulb,
    target: str = "load-1",
    **changes: Any,  # noqa: ANN401  # as above
) -> tuple[Servers, dict[str, Fault]]:
    """Return a cloud of two servers, with the fault in one of them."""
    cloud = Servers(Server("id-1", "load-1"), Server("id-2", "load-2"))
    faults = a_fault(bulb, target=Target.SERVER, stays="shards lie about", **changes)
    break_lab(lab, "bulb", target, faults, cloud.log_in)
    return cloud, faults


@pytest.mark.parametrize("named_as", [None, "id-1", "load-1"])
def test_the_fault_of_a_server_is_mended_by_its_name_and_by_its_id(
    lab: Lab, bulb: Bulb, named_as: str | None
) -> None:
    cloud, faults = broken_in_server(lab, bulb)

    mended = mend_lab(lab, "bulb", named_as, faults, cloud.log_in)

    assert (mended, bulb.is_broken, in_force(lab)) == (Mended(target="id-1"), False, [])


@pytest.mark.parametrize("named_as", [None, "id-1", "load-1"])
def test_the_fault_of_a_server_that_was_deleted_went_with_it(
    lab: Lab, bulb: Bulb, named_as: str | None
) -> None:
    """Only `lab reset` could strike it off the record."""
    cloud, faults = broken_in_server(lab, bulb)
    del cloud.there[0]

    mended = mend_lab(lab, "bulb", named_as, faults, cloud.log_in)

    went = Mended(target="id-1", went_with_its_server=True, stays="shards lie about")
    assert (mended, in_force(lab), bulb.mended_with) == (went, [], {})


def test_a_server_that_is_deleted_while_its_fault_is_mended_takes_it_along(
    lab: Lab, bulb: Bulb
) -> None:
    cloud, faults = broken_in_server(lab, bulb, gone=never)
    faults = a_fault(bulb, target=Target.SERVER, gone=never, mend=lambda _: cloud.there.clear())

    mended = mend_lab(lab, "bulb", "load-1", faults, cloud.log_in)

    assert (mended.went_with_its_server, in_force(lab)) == (True, [])


def test_a_new_server_of_the_old_name_does_not_hide_the_fault_of_the_old_one(
    lab: Lab, bulb: Bulb
) -> None:
    cloud, faults = broken_in_server(lab, bulb)
    cloud.there[0] = Server("id-3", "load-1")

    mended = mend_lab(lab, "bulb", "load-1", faults, cloud.log_in)

    assert (mended.target, mended.went_with_its_server) == ("id-1", True)


def test_a_server_that_has_another_name_since_is_found_by_that(lab: Lab, bulb: Bulb) -> None:
    cloud, faults = broken_in_server(lab, bulb)
    cloud.there[0] = Server("id-1", "renamed")

    assert mend_lab(lab, "bulb", "renamed", faults, cloud.log_in) == Mended(target="id-1")


def test_a_server_without_the_fault_is_not_mended(lab: Lab, bulb: Bulb) -> None:
    cloud, faults = broken_in_server(lab, bulb)

    with pytest.raises(Refused, match="`bulb` is not in force on `load-2`"):
        mend_lab(lab, "bulb", "load-2", faults, cloud.log_in)

    assert [made.place for made in in_force(lab)] == ["`id-1` (load-1)"]


def test_a_record_that_an_older_version_wrote_is_still_mended(lab: Lab, bulb: Bulb) -> None:
    """It has no name of the server."""
    cloud, faults = broken_in_server(lab, bulb)
    file = lab.folder / "faults.json"
    [entry] = json.loads(file.read_text())
    del entry["called"]
    file.write_text(json.dumps([entry]))

    assert mend_lab(lab, "bulb", "load-1", faults, cloud.log_in) == Mended(target="id-1")


def test_a_cloud_that_gives_no_answer_keeps_the_fault_on_record(lab: Lab, bulb: Bulb) -> None:
    """Silence is no proof that the server was deleted."""
    _, faults = broken_in_server(lab, bulb)

    def silent(_: Lab) -> Servers:
        raise Unreachable("the cloud does not answer")

    with pytest.raises(Unreachable):
        mend_lab(lab, "bulb", "load-1", faults, silent)

    assert [made.target for made in in_force(lab)] == ["id-1"]


# --- targets ---


def test_a_node_may_be_any_node(lab: Lab, bulb: Bulb) -> None:
    fault = a_fault(bulb)["bulb"]

    chosen = [chosen_scene(lab, fault, node).target for node in ("ctl", "c02", "f01")]

    assert chosen == ["ctl", "c02", "f01"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Target.NODE, "c01"), (Target.COMPUTE, "c01"), (Target.CONTROLLER, "ctl")],
)
def test_without_a_target_the_first_that_can_be_is_taken(
    lab: Lab, bulb: Bulb, kind: Target, expected: str
) -> None:
    assert chosen_scene(lab, a_fault(bulb, target=kind)["bulb"], None).target == expected


@pytest.mark.parametrize(
    ("kind", "target", "message"),
    [
        (Target.NODE, "c09", "there is no node `c09` in the lab `lab`"),
        (Target.COMPUTE, "c09", "there is no node `c09` in the lab `lab`"),
        (Target.COMPUTE, "ctl", "`bulb` is a fault of a compute node; `ctl` is none"),
        (Target.COMPUTE, "f01", "`bulb` is a fault of a compute node; `f01` is none"),
        (Target.CONTROLLER, "c01", "`bulb` is a fault of the controller, not of `c01`"),
        (Target.SERVER, None, "`bulb` needs a server"),
    ],
)
def test_a_target_that_cannot_be_is_bad_input(
    lab: Lab, bulb: Bulb, kind: Target, target: str | None, message: str
) -> None:
    with pytest.raises(BadInput) as refused:
        break_lab(lab, "bulb", target, a_fault(bulb, target=kind))

    assert refused.value.message == message
    assert (bulb.is_broken, records(lab)) == (False, [])


# --- the declared ones ---


def test_the_declared_faults_have_names_of_their_own() -> None:
    assert len(FAULTS) == len(ALL) == IN_ISSUE


@pytest.mark.parametrize(("fault", "file"), SOAKED.items())
def test_a_fault_that_no_scene_makes_is_made_by_the_soak(fault: str, file: str) -> None:
    assert f'"{fault}"' in (SOAK / file).read_text()


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_every_fault_says_what_is_done_and_how_it_shows(fault: Fault) -> None:
    assert fault.what
    assert fault.symptom
    assert fault.what != fault.symptom


def test_an_unknown_fault_is_answered_with_where_they_are_listed() -> None:
    with pytest.raises(BadInput) as refused:
        named("bulb")

    assert refused.value.message == "there is no fault `bulb`"
    assert refused.value.hint == "`stackward lab faults` lists them"


def test_the_login_by_which_keystone_is_asked_is_one() -> None:
    asked = json.loads(LOGIN)["auth"]["identity"]

    assert asked["password"]["user"]["name"] == "admin"

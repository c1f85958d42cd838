"""A lab claims a name, a number and a network that are its own."""

from pathlib import Path
from typing import Any

import pytest

from lab_builders import FakeHost, a_lab, claims_in
from stackward.errors import BadInput, Locked, Refused
from stackward.lab.claims import MOST_COMPUTES, MOST_FAKE_COMPUTES, MOST_LABS, Asked


def test_the_first_lab_gets_the_first_number_and_its_network(tmp_path: Path) -> None:
    claims = claims_in(tmp_path)

    lab = claims.claim(Asked())

    assert (lab.name, lab.number, lab.network) == ("lab", 1, "10.77.1.0/24")
    assert claims.get("lab") == lab
    assert lab.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["a b", "50%", "a:b", "a,b", "a?b", "#a", "it's", "z\u00e4hler"])
def test_a_lab_is_not_put_where_ssh_or_a_mount_would_misread_its_path(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(BadInput, match="a lab cannot be in"):
        claims_in(tmp_path / name).claim(Asked())

    assert list(tmp_path.iterdir()) == []


def test_a_second_lab_has_nothing_in_common_with_the_first(tmp_path: Path) -> None:
    claims = claims_in(tmp_path)

    labs = [claims.claim(Asked(name=name)) for name in ("one", "two")]

    assert [(lab.number, lab.network) for lab in labs] == [(1, "10.77.1.0/24"), (2, "10.77.2.0/24")]
    assert claims.all() == labs


def test_asking_again_gives_the_same_lab(tmp_path: Path) -> None:
    """The machine's networks are not asked: the lab's own would stand in its way."""
    first = claims_in(tmp_path).claim(Asked())

    again = claims_in(tmp_path, FakeHost("swbr1", used=("10.0.0.0/8",))).claim(Asked())

    assert again == first


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param(FakeHost("lo", "swbr1"), (2, "10.77.2.0/24"), id="the bridge is there"),
        pytest.param(
            FakeHost(used=("10.77.1.128/25",)), (2, "10.77.2.0/24"), id="a part of it is in use"
        ),
        pytest.param(
            FakeHost("swbr2", used=("10.77.1.0/24",)), (3, "10.77.3.0/24"), id="both, differently"
        ),
    ],
)
def test_what_the_machine_uses_is_left_alone(
    tmp_path: Path, host: FakeHost, expected: tuple[int, str]
) -> None:
    lab = claims_in(tmp_path, host).claim(Asked())

    assert (lab.number, lab.network) == expected


def test_a_network_may_be_chosen(tmp_path: Path) -> None:
    lab = claims_in(tmp_path).claim(Asked(network="192.168.99.0/24"))

    assert (lab.number, lab.network) == (1, "192.168.99.0/24")


def test_a_network_that_another_lab_has_chosen_is_left_to_it(tmp_path: Path) -> None:
    """Also while that lab is down: then no route of the machine tells of it."""
    claims = claims_in(tmp_path)
    claims.claim(Asked(name="one", network="10.77.2.0/24"))

    lab = claims.claim(Asked(name="two"))

    assert (lab.number, lab.network) == (3, "10.77.3.0/24")


@pytest.mark.parametrize(
    ("used", "user"),
    [
        pytest.param(("192.168.0.0/16",), "192.168.0.0/16 on `eth0`", id="by the machine"),
        pytest.param((), "lab `one`", id="by another lab"),
    ],
)
def test_a_chosen_network_that_is_in_use_is_refused_with_who_uses_it(
    tmp_path: Path, used: tuple[str, ...], user: str
) -> None:
    a_lab(tmp_path, name="one", network="192.168.99.0/24")

    with pytest.raises(Refused) as refused:
        claims_in(tmp_path, FakeHost(used=used)).claim(Asked(name="two", network="192.168.99.0/24"))

    assert refused.value.message == f"the network 192.168.99.0/24 is in use: {user}"
    assert not (tmp_path / "labs/two").exists()


def test_no_free_network_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        claims_in(tmp_path, FakeHost(used=("10.0.0.0/8",))).claim(Asked())

    assert refused.value.message == "no network is free for another lab"
    assert not (tmp_path / "labs/lab").exists()


def test_no_number_is_left_is_said_so_for_a_chosen_network_too(tmp_path: Path) -> None:
    bridges = [f"swbr{number}" for number in range(1, MOST_LABS + 1)]

    with pytest.raises(Refused) as refused:
        claims_in(tmp_path, FakeHost(*bridges)).claim(Asked(network="192.168.99.0/24"))

    assert refused.value.message == f"this machine has {MOST_LABS} labs already"


def test_what_is_not_said_of_a_new_lab_is_as_usual(tmp_path: Path) -> None:
    lab = claims_in(tmp_path).claim(Asked())

    assert (lab.profile, lab.computes, lab.fake_computes) == ("small", 2, 3)
    assert (lab.shared_instances, lab.release, lab.cache) == (False, "trixie", tmp_path / "cache")


# A lab that differs from a usual one in all that can be said of it.
UNUSUAL: dict[str, Any] = {
    "profile": "scale",
    "computes": 3,
    "fake_computes": 7,
    "shared_instances": True,
    "release": "forky",
    "network": "192.168.99.0/24",
}


def test_a_lab_of_three_computes_is_taken_as_it_is_where_no_flag_is_given(tmp_path: Path) -> None:
    """It was refused: each flag that was not given counted as asked for."""
    lab = a_lab(tmp_path, cache=tmp_path / "elsewhere", **UNUSUAL)

    assert claims_in(tmp_path).claim(Asked()) == lab


@pytest.mark.parametrize("said", [*UNUSUAL, "cache"])
def test_what_is_said_of_a_lab_and_is_so_changes_nothing(tmp_path: Path, said: str) -> None:
    lab = a_lab(tmp_path, cache=tmp_path / "elsewhere", **UNUSUAL)

    assert claims_in(tmp_path).claim(Asked(**{said: getattr(lab, said)})) == lab


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        pytest.param({"profile": "small"}, "profile: is scale, asked for small", id="profile"),
        pytest.param({"computes": 2}, "computes: is 3, asked for 2", id="computes"),
        pytest.param({"fake_computes": 3}, "fake computes: is 7, asked for 3", id="fakes"),
        pytest.param({"release": "trixie"}, "release: is forky, asked for trixie", id="release"),
        pytest.param(
            {"network": "10.77.1.0/24"},
            "network: is 192.168.99.0/24, asked for 10.77.1.0/24",
            id="network",
        ),
        pytest.param(
            {"cache": Path("/other")}, "cache: is /somewhere, asked for /other", id="cache"
        ),
    ],
)
def test_a_flag_that_says_otherwise_is_refused_also_if_it_says_the_usual(
    tmp_path: Path, asked: dict[str, Any], difference: str
) -> None:
    a_lab(tmp_path, cache=Path("/somewhere"), **UNUSUAL)

    with pytest.raises(Refused) as refused:
        claims_in(tmp_path).claim(Asked(**asked))

    assert refused.value.details == (difference,)


def test_a_lab_that_is_not_as_asked_for_is_refused_with_every_difference(tmp_path: Path) -> None:
    a_lab(tmp_path)

    with pytest.raises(Refused) as refused:
        claims_in(tmp_path).claim(Asked(profile="scale", computes=3, shared_instances=True))

    assert refused.value.message == "the lab `lab` is there, and not as asked for"
    assert refused.value.details == (
        "profile: is small, asked for scale",
        "computes: is 2, asked for 3",
        "shared instances: is False, asked for True",
    )
    assert "`stackward lab up --name lab` takes it as it is" in (refused.value.hint or "")
    assert "stackward lab down --purge --name lab" in (refused.value.hint or "")


def test_a_lab_that_cannot_be_read_is_refused_with_the_way_to_remove_it(tmp_path: Path) -> None:
    (a_lab(tmp_path).folder / "lab.json").write_text('{"format": 1')

    with pytest.raises(Refused) as refused:
        claims_in(tmp_path).claim(Asked())

    assert refused.value.message.startswith("the lab `lab` cannot be read: ")
    assert refused.value.hint == "`stackward lab down --purge --name lab` removes it"


def test_a_claim_that_died_before_it_was_written_is_no_lab(tmp_path: Path) -> None:
    (tmp_path / "labs/lab").mkdir(parents=True)
    (tmp_path / "labs/lab/lab.json.new").write_text("{")
    claims = claims_in(tmp_path)

    assert claims.all() == []
    assert claims.claim(Asked()).number == 1


@pytest.mark.parametrize(
    ("name", "makes"),
    [
        ("none", "`stackward lab up --name none` makes one"),
        ("../other", "`stackward lab up` makes one"),
        ("", "`stackward lab up` makes one"),
        ("Lab", "`stackward lab up` makes one"),
    ],
)
def test_a_lab_that_is_not_there_is_answered_with_those_there_are(
    tmp_path: Path, name: str, makes: str
) -> None:
    a_lab(tmp_path, name="one")
    a_lab(tmp_path, name="two")

    with pytest.raises(BadInput) as refused:
        claims_in(tmp_path).get(name)

    assert refused.value.message == f"there is no lab `{name}` on this machine"
    assert refused.value.hint == f"name one that is there with `--name`: `one`, `two`; or {makes}"


def test_where_no_lab_is_there_it_is_said_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        claims_in(tmp_path).get("lab")

    assert refused.value.hint == "`stackward lab up --name lab` makes one"


def test_one_command_at_a_time_changes_a_lab(tmp_path: Path) -> None:
    lab = a_lab(tmp_path)

    with claims_in(tmp_path).changing(lab), pytest.raises(Locked) as refused:
        claims_in(tmp_path).changing(lab).__enter__()

    assert refused.value.message == "another command is changing the lab `lab`"


def test_after_a_command_the_next_may_change_it(tmp_path: Path) -> None:
    lab = a_lab(tmp_path)

    with claims_in(tmp_path).changing(lab):
        pass
    with claims_in(tmp_path).changing(lab):
        pass


def test_a_lab_that_was_removed_meanwhile_is_said_so(tmp_path: Path) -> None:
    lab = a_lab(tmp_path)
    (lab.folder / "lab.json").unlink()

    with pytest.raises(Refused, match="has just been removed"):
        claims_in(tmp_path).changing(lab).__enter__()


@pytest.mark.parametrize("name", ["", "1lab", "-lab", "Lab", "a b", "../x", "a/b", "a" * 21])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        Asked(name=name)

    assert refused.value.message == f"`{name}` cannot be the name of a lab"


@pytest.mark.parametrize("count", [0, -1, MOST_COMPUTES + 1])
def test_too_few_or_too_many_compute_nodes_are_refused(count: int) -> None:
    with pytest.raises(BadInput, match=f"not {count}"):
        Asked(computes=count)


@pytest.mark.parametrize("count", [0, MOST_FAKE_COMPUTES + 1])
def test_too_few_or_too_many_fake_computes_are_refused(count: int) -> None:
    with pytest.raises(BadInput, match=f"not {count}"):
        Asked(fake_computes=count)


@pytest.mark.parametrize("release", ["", "trixie/../x", "13", "Trixie"])
def test_what_cannot_be_a_release_is_refused(release: str) -> None:
    with pytest.raises(BadInput, match="release"):
        Asked(release=release)


@pytest.mark.parametrize(
    "network",
    [
        pytest.param("ten", id="no network"),
        pytest.param("10.99.1.7/24", id="an address in one"),
        pytest.param("10.99.0.0/16", id="too large"),
        pytest.param("10.99.1.0/28", id="too small"),
        pytest.param("1.1.1.0/24", id="somebody else's"),
        pytest.param("fd00::/64", id="IPv6"),
        pytest.param("10.78.0.0/24", id="the one of the guests' tunnels"),
    ],
)
def test_what_cannot_be_a_network_is_refused(network: str) -> None:
    with pytest.raises(BadInput, match="network"):
        Asked(network=network)

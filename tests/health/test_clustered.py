"""What Pacemaker runs is judged by its words, not by what systemd enables."""

import re
from pathlib import Path

import pytest

from fakes.site import Site
from stackward.model.health import Health, Kept, State

SAMPLES = Path(__file__).parents[1] / "facts/samples"
TODAY = (SAMPLES / "crm_mon.xml").read_text().replace("ctl1", "ctl")
WELL = (
    TODAY.replace(' target_role="Stopped"', "")
    .replace('role="Stopped" active="false" orphaned="false" blocked="false" managed="true" '
             'failed="false" failure_ignored="false" nodes_running_on="0"/>\n    <resource id="o',
             'role="Started" active="true" orphaned="false" blocked="false" managed="true" '
             'failed="false" failure_ignored="false" nodes_running_on="1"><node name="ctl3"/>'
             '</resource>\n    <resource id="o')
    .replace('failed="true"', 'failed="false"')
)  # fmt: skip
PACEMAKER = (
    "\n\nId=pacemaker.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
    "UnitFileState=enabled\n"
)
STOPPED = '"Stopped" target_role="Stopped" active="false"'


def clustered(out: str = WELL, code: int | None = 0, err: str = "") -> Site:
    site = Site()
    site.told("ctl")["commands"]["units"]["out"] += PACEMAKER
    site.command("ctl", "pacemaker", code, out=out, err=err)
    return site


def disable(site: Site, unit: str, *, runs: bool) -> None:
    site.unit("ctl", unit, UnitFileState="disabled", WantedBy="", RequiredBy="")
    if not runs:
        site.stop("ctl", unit)


def rules(health: Health) -> set[tuple[str, str]]:
    return {(one.rule, one.where) for one in health.findings if one.under is None}


def test_what_pacemaker_starts_need_not_start_at_boot() -> None:
    site = clustered()
    disable(site, "memcached.service", runs=True)

    assert site.look().findings == ()


def test_what_pacemaker_runs_on_another_node_is_not_missed_here() -> None:
    site = clustered()
    disable(site, "cinder-volume.service", runs=False)

    health = site.look()

    assert health.findings == ()
    assert "cinder-volume is run by Pacemaker on ctl3" in {one.says for one in health.notes}


def test_where_systemd_has_it_enabled_as_well_it_is_not_missed_either() -> None:
    site = clustered()
    site.stop("ctl", "cinder-volume.service")

    assert ("unit-down", "cinder-volume on ctl") not in rules(site.look())


def test_what_pacemaker_says_that_it_runs_here_and_does_not_run_is_down() -> None:
    site = clustered()
    site.stop("ctl", "memcached.service")

    assert ("unit-down", "memcached on ctl") in rules(site.look())


@pytest.mark.parametrize(
    ("out", "rule", "where", "says"),
    [
        pytest.param(
            WELL.replace('"Started" active="true"', STOPPED, 1)
            .replace('<node name="ctl" id="1" cached="true"/>', "", 1)
            .replace('nodes_running_on="1"', 'nodes_running_on="0"', 1),
            "cluster-stopped", "pacemaker", "`vip-public` nowhere: it was disabled there",
            id="a virtual address that somebody disabled",
        ),
        pytest.param(
            TODAY, "cluster-stopped", "cinder-backup", "nowhere: it was disabled there",
            id="a service that somebody disabled",
        ),
        pytest.param(
            TODAY, "cluster-failed", "nova-conductor on ctl", "Pacemaker calls `conductor` failed",
            id="one that failed",
        ),
        pytest.param(
            WELL.replace('with_quorum="true"', 'with_quorum="false"'),
            "pacemaker-no-quorum", "pacemaker", "no quorum", id="no quorum",
        ),
    ],
)  # fmt: skip
def test_what_pacemaker_calls_ill_is_found_by_its_words(
    out: str, rule: str, where: str, says: str
) -> None:
    health = clustered(out).look()

    found = [one for one in health.findings if (one.rule, one.where) == (rule, where)]
    assert [says in one.reason for one in found] == [True]
    assert found[0].state is State.BROKEN


def test_a_failure_is_shown_in_the_words_of_the_agent() -> None:
    [failed] = [one for one in clustered(TODAY).look().findings if one.rule == "cluster-failed"]

    assert failed.evidence == ("start on ctl failed: error (Connection refused)",)
    assert failed.remedy.startswith("look first at `pcs status")


def test_maintenance_and_standby_are_notes() -> None:
    maintained = (SAMPLES / "crm_mon-maintenance.xml").read_text().replace("ctl1", "ctl")
    standby = WELL.replace("ctl2", "was-ctl").replace('"ctl"', '"ctl9"').replace("was-ctl", "ctl")

    notes = {one.says for one in clustered(maintained).look().notes}
    of_standby = {one.says for one in clustered(standby).look().notes}

    assert "the cluster is in maintenance: nothing is restarted" in notes
    assert "Pacemaker has it in standby" in of_standby


def test_a_right_that_is_missing_is_a_gap_and_blames_nobody() -> None:
    site = clustered("", 1, "sudo: a password is required")
    disable(site, "memcached.service", runs=True)

    health = site.look()

    assert "not-at-boot" not in {one.rule for one in health.findings}
    [gap] = [one for one in health.gaps if one.what == "what Pacemaker runs"]
    assert gap.kind is Kept.RIGHTS


def test_what_is_masked_is_found_also_where_pacemaker_cannot_be_asked() -> None:
    """A masked unit is nothing that Pacemaker could start."""
    site = clustered("", None, "no answer in time")
    site.stop("ctl", "memcached.service")
    site.unit("ctl", "memcached.service", LoadState="masked", UnitFileState="masked")
    site.told("ctl")["installed"] = ["memcached.service"]

    assert "memcached on ctl" in {one.where for one in site.look().findings}


def test_pacemaker_that_does_not_answer_its_own_tool_is_found() -> None:
    error = "<errors><error>Not connected</error></errors>"
    out = f"<pacemaker-result><status code='102'>{error}</status></pacemaker-result>"

    assert ("pacemaker-silent", "pacemaker on ctl") in rules(clustered(out, 102).look())


def member(name: str, **words: str) -> str:
    """Return an answer in which a member of the cluster is otherwise."""
    [tag] = re.findall(rf'<node name="{name}" id="."[^>]* online=[^>]*>', WELL)
    other = tag
    for word, value in words.items():
        other = re.sub(rf' {word}="[^"]*"', f' {word}="{value}"', other)
    assert other != tag
    return WELL.replace(tag, other)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param({"online": "false"}, [("pacemaker-member-offline", "degraded")], id="offline"),
        pytest.param(
            {"online": "false", "unclean": "true"}, [("pacemaker-member-unclean", "broken")],
            id="unclean, and offline",
        ),
        pytest.param(
            {"unclean": "true"}, [("pacemaker-member-unclean", "broken")],
            id="unclean, and still there",
        ),
        pytest.param(
            {"online": "false", "unclean": "true", "standby": "true"},
            [("pacemaker-member-unclean", "broken")], id="unclean in standby",
        ),
        pytest.param({"online": "false", "standby": "true"}, [], id="away on purpose: standby"),
        pytest.param(
            {"online": "false", "maintenance": "true"}, [], id="away on purpose: maintenance"
        ),
    ],
)  # fmt: skip
def test_a_member_that_the_others_miss_is_found(
    words: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    """The cloud was "ok" with a member that was offline and unclean."""
    found = clustered(member("ctl3", **words)).look().findings

    assert [(one.rule, one.state.value) for one in found] == expected
    assert {one.where for one in found} <= {"pacemaker on ctl3"}


def test_a_member_whose_own_pacemaker_is_down_is_told_once() -> None:
    site = clustered(member("ctl3", online="false").replace('"ctl3"', '"c01"'))
    site.told("c01")["commands"]["units"]["out"] += PACEMAKER.replace(
        "ActiveState=active\nSubState=running", "ActiveState=inactive\nSubState=dead"
    )

    found = {one.rule: one.by for one in site.look().findings if one.component == "pacemaker"}

    assert found == {"unit-down": None, "pacemaker-member-offline": "unit-down"}

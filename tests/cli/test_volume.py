"""`stackward volume list` and `volume reattach`, on a cloud of fakes."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from builders import a_server, an_id
from cli import test_return
from cli.test_return import NODE, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.volume import Attachment, Volume
from stackward.report.tables import Form
from stackward.report.volumes import VOLUME_FIELDS, VOLUMES_FIELDS
from texts import folded

site = test_return.site  # the fixture
DB, OTHER = an_id("db-01"), an_id("elsewhere")
V1, V2 = an_id("v1"), an_id("v2")
LIST = ("volume", "list", "--server", "db-01")


@pytest.fixture
def attached(site: Site) -> Site:
    """Return a cloud with a server that has two volumes, to all three."""
    nova, cinder = site.cloud.nova, site.cloud.cinder
    nova.known[DB] = replace(nova.known[DB], volume_ids=(V1, V2))
    cinder.volumes = {one: Volume(id=one, name=f"disk-{one[:2]}") for one in (V1, V2)}
    return site


def rows(out: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(**one) for one in json.loads(out)["volumes"]]


def test_volumes_on_which_all_agree_are_listed_and_end_with_0(attached: Site) -> None:
    code, out, said = attached.run(*LIST)

    assert (code, said) == (0, "")
    assert "/dev/vdb" in out
    assert "2 attachments; Nova, Cinder and libvirt agree" in out


@pytest.mark.parametrize("asked", [("--server", "db-01"), ("--node", NODE)])
def test_each_witness_has_its_device_and_the_serial_is_the_volumes(
    attached: Site, asked: tuple[str, str]
) -> None:
    _, out, _ = attached.run("volume", "list", *asked, "-f", "json")

    found = {one.volume_id: one for one in rows(out)}
    assert {one.serial for one in found.values()} == {V1, V2}
    assert [one.nova["device"] for one in rows(out)] == ["/dev/vdb", "/dev/vdc"]
    assert [one.libvirt["device"] for one in rows(out)] == ["vdb", "vdc"]
    assert {one.agree for one in rows(out)} == {True}


def test_the_json_has_the_fields_that_its_page_names(attached: Site) -> None:
    _, out, _ = attached.run(*LIST, "-f", "json")

    told = json.loads(out)
    assert [*told] == [*VOLUMES_FIELDS]
    assert {tuple(one) for one in told["volumes"]} == {tuple(VOLUME_FIELDS)}


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.JSON])
def test_every_form_has_the_volumes(attached: Site, form: Form) -> None:
    code, out, _ = attached.run(*LIST, "-f", form.value, "-c", "Volume ID")

    assert (code, V1 in out, V2 in out) == (0, True, True)


def test_a_volume_that_only_cinder_has_is_named(attached: Site) -> None:
    nova = attached.cloud.nova
    nova.known[DB] = replace(nova.known[DB], volume_ids=(V2,))
    attached.cloud.cinder.volumes[V1] = Volume(
        id=V1, attached=((DB, NODE),), attachment_ids=("a1",), devices=("/dev/vdb",)
    )
    attached.cloud.cinder.left["a1"] = (V1, NODE)

    code, out, _ = attached.run(*LIST, "-f", "json")

    one = next(one for one in rows(out) if one.volume_id == V1)
    assert (code, one.agree) == (6, False)
    assert (one.nova["has"], one.cinder["has"], one.libvirt["has"]) == ("no", "yes", "no")
    assert one.says == ["Cinder has it, Nova and libvirt do not"]


def test_a_volume_that_the_guest_lacks_is_named(attached: Site) -> None:
    attached.shell.serials[DB] = (V1,)

    code, out, _ = attached.run(*LIST)

    assert code == 6
    assert f"volume {V2}: Nova and Cinder have it, libvirt does not" in folded(out)
    assert "the witnesses do not agree on 1" in out


def test_a_volume_that_is_reserved_is_listed_though_nobody_has_it(attached: Site) -> None:
    third = an_id("v3")
    attached.cloud.cinder.volumes[third] = Volume(id=third, status="reserved")
    attached.cloud.cinder.reserved.append(
        Attachment(id="a3", volume=third, server=DB, status="reserved")
    )

    code, out, _ = attached.run(*LIST, "-f", "json")

    one = next(one for one in rows(out) if one.volume_id == third)
    assert (code, one.status, one.attachments) == (6, "reserved", ["a3"])
    assert one.says == ["Cinder holds it for the server (reserved), and nobody has it"]


@pytest.mark.parametrize("status", ["detaching", "attaching"])
def test_a_volume_that_is_on_its_way_does_not_agree(attached: Site, status: str) -> None:
    attached.cloud.cinder.volumes[V1] = Volume(id=V1, status=status)

    code, out, _ = attached.run(*LIST)

    assert (code, f"it is `{status}` to Cinder" in folded(out)) == (6, True)


def test_devices_that_differ_are_named(attached: Site) -> None:
    attached.shell.letters[V1] = "vdd"

    code, out, _ = attached.run(*LIST)

    assert (code, "its device is vdb or vdd" in folded(out)) == (6, True)


def test_an_attachment_on_another_node_is_named(attached: Site) -> None:
    attached.cloud.cinder.volumes[V1] = Volume(
        id=V1, attached=((DB, "compute-08"),), attachment_ids=(an_id("of-v1"),)
    )

    code, out, _ = attached.run(*LIST)

    assert code == 6
    assert f"Cinder has it on `compute-08`, and the server is on `{NODE}`" in folded(out)


@pytest.mark.parametrize("asked", [("--server", "db-01"), ("--node", NODE)])
def test_a_libvirt_that_does_not_answer_is_unknown_and_never_no(
    attached: Site, asked: tuple[str, str]
) -> None:
    attached.shell.silent.add(NODE)

    code, out, _ = attached.run("volume", "list", *asked, "-f", "json")

    assert code == 6
    assert {one.libvirt["has"] for one in rows(out)} == {"unknown"}
    assert {one.agree for one in rows(out)} == {None}
    assert [one["witness"] for one in json.loads(out)["unknown"]] == ["libvirt"]


@pytest.mark.parametrize("asked", [("--server", "db-01"), ("--node", NODE)])
def test_a_cinder_that_is_away_is_unknown_and_never_no(
    attached: Site, asked: tuple[str, str]
) -> None:
    attached.cloud.cinder.is_away = True

    code, out, _ = attached.run("volume", "list", *asked, "-f", "json")

    assert code == 6
    assert {one.cinder["has"] for one in rows(out)} == {"unknown"}
    assert {one.nova["has"] for one in rows(out)} == {"yes"}


def test_of_a_guest_that_is_off_libvirt_is_not_taken_for_a_no(attached: Site) -> None:
    off = an_id("db-02")
    nova = attached.cloud.nova
    nova.known[off] = replace(nova.known[off], volume_ids=(V2,))
    nova.known[DB] = replace(nova.known[DB], volume_ids=(V1,))
    attached.shell.serials[off] = ()

    _, out, _ = attached.run("volume", "list", "--server", "db-02", "-f", "json")

    [one] = rows(out)
    assert (one.libvirt["has"], "its guest is off" in one.libvirt["why"]) == ("unknown", True)


def test_what_cinder_has_on_a_node_for_a_server_of_another_is_listed(attached: Site) -> None:
    attached.cloud.nova.add(replace(a_server(name="elsewhere"), host="compute-08"))
    third = an_id("v3")
    attached.cloud.cinder.volumes[third] = Volume(
        id=third, attached=((OTHER, NODE), (an_id("gone"), NODE)), attachment_ids=("a", "b")
    )

    code, out, _ = attached.run("volume", "list", "--node", NODE, "-f", "json")

    found = {one.server_id: one for one in rows(out) if one.volume_id == third}
    assert code == 6
    assert set(found) == {OTHER, an_id("gone")}
    assert found[an_id("gone")].server is None
    assert found[an_id("gone")].nova["why"] == "no such server"


def test_a_node_is_asked_by_lists_and_by_its_servers_that_have_volumes(attached: Site) -> None:
    for number in range(20):
        attached.cloud.nova.add(a_server(name=f"more-{number}"))
    attached.cloud.calls.clear()

    attached.run("volume", "list", "--node", NODE)

    calls = attached.cloud.calls
    assert (calls["servers"], calls["all volumes"], calls["all attachments"]) == (1, 1, 1)
    assert (calls["attached"], calls["server"]) == (1, 0)


@pytest.mark.parametrize("asked", [(), ("--node", NODE, "--server", "db-01")])
def test_a_node_or_a_server_is_named_and_not_both(site: Site, asked: tuple[str, ...]) -> None:
    code, out, said = site.run("volume", "list", *asked)

    assert (code, out) == (2, "")
    assert "name a node or a server" in said
    assert "stackward volume list --server SERVER" in folded(said)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--server", "db-99"), "there is no server `db-99`"),
        (("--server", ""), "there is no server ``"),
        (("--node", "compute-99"), "there is no compute node `compute-99`"),
    ],
)
def test_a_word_that_means_nothing_is_bad_input(
    site: Site, asked: tuple[str, str], says: str
) -> None:
    code, _, said = site.run("volume", "list", *asked)

    assert (code, says in said) == (2, True)


def test_a_name_that_two_servers_have_is_refused(site: Site) -> None:
    site.cloud.nova.add(replace(a_server(name="twin"), name="db-01"))

    code, _, said = site.run(*LIST)

    assert (code, DB in said, an_id("twin") in said) == (2, True, True)


def test_a_server_without_volumes_ends_with_0(site: Site) -> None:
    code, out, _ = site.run(*LIST)

    assert (code, out) == (0, "no volumes\n")


# --- reattach -------------------------------------------------------------------------------------

REATTACH = ("volume", "reattach", "db-01")
PROMPT = "Debian 13\n\ndb-01 login: "


@pytest.fixture
def apart(attached: Site) -> Site:
    """Return the same; Cinder has the second volume on another node, and a prompt is there."""
    attached.cloud.cinder.hosts[V2] = "compute-08"
    attached.cloud.nova.consoles[DB] = PROMPT
    return attached


def asked(site: Site) -> list[str]:
    return [each.action for made in site.cloud.nova.actions.values() for each in made]


def test_volumes_that_agree_are_left_alone(attached: Site) -> None:
    code, out, said = attached.run(*REATTACH, "--yes")

    assert (code, asked(attached)) == (0, []), out + said


def test_a_volume_is_detached_and_attached_as_the_device_of_before(apart: Site) -> None:
    apart.cloud.cinder.hosts[V1] = "compute-08"

    code, out, said = apart.run(*REATTACH, "--yes")

    assert (code, asked(apart)) == (0, [*["detach_volume"] * 2, *["attach_volume"] * 2]), said
    devices = {one.volume: one.device for one in apart.cloud.nova.volumes_of(DB)}
    assert devices == {V1: "/dev/vdb", V2: "/dev/vdc"}
    assert "Nova, Cinder and libvirt agree on 2 volumes of `db-01`" in folded(out)
    assert apart.run(*LIST)[0] == 0


def test_only_the_volume_that_is_named_is_touched(apart: Site) -> None:
    apart.cloud.cinder.hosts[V1] = "compute-08"

    code, _, said = apart.run(*REATTACH, "disk-" + V2[:2], "--yes")

    assert (code, asked(apart)) == (0, ["detach_volume", "attach_volume"]), said
    assert [*apart.cloud.cinder.hosts] == [V1]


def test_a_dry_run_shows_the_least_act_for_each_and_changes_nothing(apart: Site) -> None:
    apart.cloud.cinder.volumes[V1] = Volume(id=V1, status="detaching")

    code, out, said = apart.run(*REATTACH, "--dry-run", "-f", "json", "-c", "How")

    assert (code, asked(apart)) == (0, []), said
    assert [one["How"] for one in json.loads(out)] == ["roll back the detach", "detach and attach"]


def test_a_detach_that_was_lost_is_rolled_back_and_nothing_else(attached: Site) -> None:
    attached.cloud.cinder.volumes[V1] = Volume(id=V1, status="detaching")

    code, _, said = attached.run(*REATTACH, "--yes")

    assert (code, asked(attached), attached.cloud.cinder.volumes[V1].status) == (0, [], "in-use")
    assert "os-reset_status" not in said


def test_a_guest_that_lacks_a_volume_is_rebooted_hard(attached: Site) -> None:
    attached.shell.serials[DB] = (V1,)

    code, _, said = attached.run(*REATTACH, "--yes")

    assert (code, asked(attached)) == (0, ["reboot"]), said


def test_a_guest_that_is_not_at_its_prompt_is_waited_for_and_nothing_is_detached(
    apart: Site,
) -> None:
    apart.cloud.nova.consoles[DB] = "dracut: Entering emergency mode"

    code, _, said = apart.run(*REATTACH, "--yes")

    assert (code, asked(apart)) == (4, []), said
    assert "its console ends with: dracut: Entering emergency mode" in folded(said)
    assert f"stackward server triage {DB}" in folded(said)


def test_without_a_sign_it_is_said_that_nothing_is_waited_for(apart: Site) -> None:
    apart.cloud.nova.consoles[DB] = "dracut: Entering emergency mode"

    code, out, said = apart.run(*REATTACH, "--ready", "none", "--yes")

    assert (code, asked(apart)) == (0, ["detach_volume", "attach_volume"]), said
    assert "that its guest is at a login prompt is not waited for" in folded(said + out)


def test_the_pattern_of_a_prompt_is_a_setting(apart: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKWARD_LOGIN_PATTERN", "^guest# $")
    apart.cloud.nova.consoles[DB] = "guest# "

    code, _, said = apart.run(*REATTACH, "--yes")

    assert (code, asked(apart)) == (0, ["detach_volume", "attach_volume"]), said


def test_a_pattern_that_is_none_is_bad_input(apart: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKWARD_LOGIN_PATTERN", "login(")

    code, _, said = apart.run(*REATTACH, "--yes")

    assert (code, "not a regular expression" in said, asked(apart)) == (2, True, [])


def test_a_guest_that_lets_no_volume_go_ends_the_run_with_the_volume_attached(apart: Site) -> None:
    apart.cloud.nova.not_letting_go.add(V2)

    code, _, said = apart.run(*REATTACH, "--yes")

    assert (code, asked(apart)) == (4, ["detach_volume"])
    assert "the guest did not let the volume go" in folded(said)
    assert V2 in apart.cloud.nova.known[DB].volume_ids


def test_an_unknown_volume_is_bad_input_with_the_nearest(apart: Site) -> None:
    code, _, said = apart.run(*REATTACH, f"disk-{V2[:1]}", "--yes")

    assert (code, asked(apart)) == (2, [])
    assert f"`disk-{V2[:2]}`" in said


def test_a_repair_is_not_undone_and_the_reason_is_said(apart: Site) -> None:
    apart.run(*REATTACH, "--yes")
    run = list_runs(apart.state_dir / FILE, 1)[0].id

    code, _, said = apart.run("run", "undo", run, "--yes")

    assert (code, len(asked(apart))) == (3, 2)
    assert "is a repair, which nothing takes back" in folded(said)

"""`cloud reconcile` and `node reconcile`, on a cloud of fakes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import a_server, an_id
from cli import test_return
from cli.test_return import NODE, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.server import ServerAction
from stackward.report.agreement import AGREEMENT_FIELDS, CASE_FIELDS
from stackward.report.orphans import ORPHAN_FIELDS, ORPHANS_FIELDS
from stackward.report.tables import Form
from texts import folded, too_wide

site = test_return.site  # the fixture
DB = an_id("db-01")
NOBODY = an_id("nobody")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKWARD_RECONCILE_WAIT_S", "5")


def test_a_cloud_that_agrees_ends_with_0(site: Site) -> None:
    code, out, said = site.run("cloud", "reconcile")

    assert (code, said) == (0, ""), out
    assert "all witnesses agree: " in out


def test_what_disagrees_is_shown_with_each_witness_and_ends_with_6(site: Site) -> None:
    site.cloud.placement.leftovers[DB] = {an_id("compute-08")}

    code, out, said = site.run("cloud", "reconcile")

    assert code == 6
    assert "looking again in 5 s" in folded(said)
    assert "[allocation-double]" in out
    assert f"placement  {NODE}, compute-08" in out
    assert "remedy: " in out


def test_a_server_that_runs_twice_comes_first_and_ends_with_7(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    site.shell.domains["compute-08", DB] = "running"

    code, out, _ = site.run("cloud", "reconcile")

    assert code == 7
    assert out.startswith("One server runs on two nodes: 1  [server-twice]\n")


def test_of_a_node_only_what_touches_it_is_shown(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    elsewhere, _, _ = site.run("node", "reconcile", "compute-09")
    there, out, _ = site.run("node", "reconcile", "compute-08")

    assert (elsewhere, there) == (0, 6)
    assert NOBODY in out


def test_an_unknown_node_is_refused(site: Site) -> None:
    code, out, said = site.run("node", "reconcile", "compute-99")

    assert (code, out) == (2, "")
    assert "there is no compute node `compute-99`" in said


def test_what_cannot_be_read_is_unknown_and_ends_with_6(site: Site) -> None:
    site.shell.silent.add("compute-08")

    code, out, _ = site.run("cloud", "reconcile")

    assert code == 6
    assert "unknown, so it gives no case:" in out
    assert "libvirt of compute-08: " in out
    assert "what could be read agrees" in out


def test_the_json_has_the_fields_that_its_page_names(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    site.shell.silent.add("compute-09")

    _, out, _ = site.run("cloud", "reconcile", "-f", "json")

    told = json.loads(out)
    [case] = told["cases"]
    assert [*told] == [*AGREEMENT_FIELDS]
    assert [*case] == [*CASE_FIELDS]
    assert (case["class"], case["id"]) == ("allocation-orphan", NOBODY)
    assert [(one["witness"], one["host"]) for one in told["unknown"]] == [("libvirt", "compute-09")]
    assert (told["looks"], told["passed"]) == (2, 0)


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.JSON])
def test_every_form_has_the_cases(site: Site, form: Form) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    code, out, _ = site.run("cloud", "reconcile", "-f", form.value)

    assert (code, NOBODY in out) == (6, True)


def test_a_column_that_is_not_there_is_refused_before_anything_is_asked(site: Site) -> None:
    code, _, said = site.run("cloud", "reconcile", "-c", "Colour")

    assert (code, "there is no column" in said, site.shell.asked) == (2, True, [])


def test_the_lines_fit_a_narrow_terminal(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from stackward.report import agreement  # noqa: PLC0415  # what is rendered, without a terminal

    site.cloud.nova.add(a_server(name="db-long"))
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    shown: list[str] = []
    render = agreement.render_agreement

    def at_80(found, form, columns=(), width=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001
        shown.append(render(found, form, columns, 80))
        return shown[-1]

    monkeypatch.setattr(agreement, "render_agreement", at_80)
    site.run("cloud", "reconcile")

    assert too_wide(shown[0].splitlines(), 80) == []


def test_orphans_are_listed_with_the_fields_that_their_page_names(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    code, out, _ = site.run("cloud", "reconcile", "--orphans", "-f", "json")
    _, text, _ = site.run("cloud", "reconcile", "--orphans")

    told = json.loads(out)
    [one] = told["orphans"]
    assert ([*told], [*one], code) == ([*ORPHANS_FIELDS], [*ORPHAN_FIELDS], 6)
    assert (one["kind"], one["id"], one["owner"]) == ("allocation", NOBODY, "demo")
    assert text.startswith("Allocations without a consumer: 1  [allocation]\n")


def test_where_nothing_is_left_the_list_of_orphans_ends_with_0(site: Site) -> None:
    code, out, said = site.run("cloud", "reconcile", "--orphans")

    assert (code, said) == (0, ""), out
    assert out == "nothing is left of servers and nodes that are gone\n"


def test_a_list_of_orphans_is_no_plan(site: Site) -> None:
    code, _, said = site.run("cloud", "reconcile", "--orphans", "--repair", "allocation-orphan")

    assert (code, "give one of them" in folded(said)) == (2, True)


# --- repairs --------------------------------------------------------------------------------------

ORPHAN = ("cloud", "reconcile", "--repair", "allocation-orphan")


def test_a_repair_is_carried_out_and_proved_by_others(site: Site) -> None:
    site.cloud.placement.leftovers = {NOBODY: {an_id("compute-08")}, DB: {an_id("compute-09")}}
    site.cloud.placement.kinds[NOBODY] = "INSTANCE"

    code, out, said = site.run(*ORPHAN, "--repair", "allocation-double", "--yes")

    assert (code, site.cloud.placement.leftovers) == (0, {}), said
    assert "repair disagreements: allocation-orphan, allocation-double: succeeded" in folded(out)
    assert "Nova has no such server" in folded(out)
    assert site.run("cloud", "reconcile")[0] == 0


def test_a_dry_run_shows_each_case_and_changes_nothing(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    site.cloud.nova.actions[NOBODY] = [deleted()]

    code, out, said = site.run(*ORPHAN, "--dry-run")

    assert (code, site.cloud.placement.kept) == (0, []), said
    assert "plan: repair disagreements: allocation-orphan" in out
    assert "1. allocation-orphan: 1 case, 1 at once" in out
    assert "holds allocations on `compute-08`, and is no server" in folded(out)
    assert "nothing: no guest, disk or address is touched" in out


def test_where_nothing_is_to_be_repaired_that_is_said(site: Site) -> None:
    code, out, said = site.run(*ORPHAN, "--yes")

    assert code == 0, said
    assert "nothing to do" in folded(out + said) or not out


def test_what_was_repaired_by_others_before_the_approval_is_not_repaired_again(
    site: Site, tmp_path: Path
) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    site.cloud.placement.kinds[NOBODY] = "INSTANCE"
    kept = tmp_path / "plan"
    site.run(*ORPHAN, "--dry-run", "--plan-out", str(kept))
    site.cloud.placement.leftovers.clear()

    code, _, said = site.run("run", "apply", str(kept), "--yes")

    assert (code, site.cloud.placement.kept) == (0, []), said


def test_of_a_node_only_its_own_cases_are_repaired(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    code, _, said = site.run("node", "reconcile", "compute-09", *ORPHAN[2:], "--yes")

    assert (code, site.cloud.placement.kept) == (0, []), said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--repair", "allocation-orfan"), "there is no class of disagreement `allocation-orfan`"),
        (("--repair", "domain-missing"), "`domain-missing` has no repair"),
        (("--dry-run",), "without `--repair` there is none"),
        (("--yes",), "without `--repair` there is none"),
        (("--kill-domain", "compute-08/x"), "without `--repair` there is none"),
    ],
)
def test_what_has_no_repair_is_refused_with_the_reason(
    site: Site, words: tuple[str, ...], says: str
) -> None:
    code, _, said = site.run("cloud", "reconcile", *words)

    assert (code, says in folded(said)) == (2, True), said


def test_what_nova_has_no_record_of_may_be_of_others_and_is_left_alone(site: Site) -> None:
    """A container of Zun holds allocations like that: placement does not tell its kind."""
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    dry, out, _ = site.run(*ORPHAN, "--dry-run")
    code, _, said = site.run(*ORPHAN, "--yes")

    assert (dry, code) == (3, 3)
    assert site.cloud.placement.leftovers == {NOBODY: {an_id("compute-08")}}
    assert "Nova has no record that it was a server" in folded(out)
    assert "cases 1, nothing is repaired" in folded(said)


def test_parts_of_a_node_go_with_it_and_those_of_the_own_node_stay(site: Site) -> None:
    """A GPU is a provider of its own: what was left on it failed the proof of the repair."""
    own, other = an_id("gpu-07"), an_id("gpu-08")
    placement = site.cloud.placement
    placement.children = {own: an_id(NODE), other: an_id("compute-08")}
    placement.leftovers = {
        DB: {own, other, an_id("compute-08")}, NOBODY: {other, an_id("compute-08")}
    }  # fmt: skip
    placement.kinds[NOBODY] = "INSTANCE"

    code, _, said = site.run(*ORPHAN, "--repair", "allocation-double", "--yes")

    assert (code, placement.leftovers) == (0, {DB: {own}}), said


KILL = (
    "cloud", "reconcile", "--repair", "domain-elsewhere", "--kill-domain", f"compute-08/{DB}"
)  # fmt: skip


def test_a_guest_that_was_left_behind_is_ended_and_the_other_proved_to_run(site: Site) -> None:
    site.shell.domains["compute-08", DB] = "shut off"

    code, out, said = site.run(*KILL, "--yes")

    assert code == 0, said
    assert ("compute-08", DB) not in site.shell.domains
    assert [each for each in site.shell.done if DB in each] == [
        f"destroy {DB}", f"undefine --keep-nvram {DB}"
    ]  # fmt: skip
    assert "each server runs where Nova, Neutron and Cinder have it" in folded(out)
    assert site.run("cloud", "reconcile")[0] == 0


def test_no_guest_is_ended_that_is_not_named_or_is_the_only_one(site: Site) -> None:
    site.shell.domains["compute-08", DB] = "running"
    unnamed, _, said = site.run("cloud", "reconcile", "--repair", "server-twice", "--yes")
    site.shell.without.add((NODE, DB))

    only, _, reason = site.run(*KILL, "--yes")

    assert (unnamed, only) == (3, 3), said
    assert "because no other is proved to run" in folded(reason)
    assert [each for each in site.shell.done if DB in each] == []


def deleted() -> ServerAction:
    """Return what Nova keeps of a server that is gone."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return ServerAction(action="delete", request_id="req-1", user="eve", started=at.isoformat())


def test_a_repair_is_not_undone(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    site.cloud.placement.kinds[NOBODY] = "INSTANCE"
    site.run(*ORPHAN, "--yes")
    [run] = list_runs(site.state_dir / FILE, 1)

    code, _, said = site.run("run", "undo", run.id, "--yes")

    assert (code, "nothing takes back" in folded(said)) == (3, True), said

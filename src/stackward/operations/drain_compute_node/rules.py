"""What blocks only a drain, and the words for it."""

from collections.abc import Collection, Iterator

from stackward.model.claim import Claim
from stackward.model.node import ComputeNode
from stackward.model.unread import Unread
from stackward.moving.leaving_servers import by_whose_word, judge_and_pack
from stackward.operations.drain_compute_node.undone import Undone, may_be_dead
from stackward.plan import Blocked, Move, Verdict
from stackward.policy import compute
from stackward.policy.capacity import NOT_ON_TARGET
from stackward.policy.evacuations import judge_lives_on_source
from stackward.policy.maintenance import UNKNOWN_CONSENT, UNKNOWN_LEFT_BEHIND
from stackward.policy.node import judge_service
from stackward.policy.on_node import judge_guests, judge_migrations, judge_surroundings
from stackward.policy.rule import Rule
from stackward.policy.wishes import needs_consent
from stackward.ports.login import way_to
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.steps.compute import ColdMigrate, LiveMigrate
from stackward.wording import count_of

CAME_BACK = Rule(
    "came-back",
    "is on `{node}`, which run `{run}` of {operator} on {machine} took out of service",
    "see there that the run is over (`stackward run show {run}`); then "
    "`stackward node return {node}` and drain it again; or pass `--leave-behind {id}`",
    "A node in maintenance should be empty; the person who put a server there must know of it.",
)
NOT_A_UNIT = Rule(
    "not-a-unit",
    "nova-compute there cannot be stopped so that it stays stopped: {what}",
    "pass `--keep-service`: nova-compute then runs on; once the node is empty, stop it with the "
    "tool that manages it there",
    "A drain stops and masks the unit nova-compute.service. systemd also masks a unit that does "
    "not exist, and what runs outside it goes on.",
)
KEEPING_OFF_UNSEEN = Rule(
    "keeping-off-unseen",
    "how nova-compute is started there could not be read, so a stop may not last: {why}",
    "see `ps -ef` and `systemctl status nova-compute` there; or pass `--keep-service`: "
    "nova-compute then runs on",
    "Its processes prove that it is stopped; a process in a container belongs to no unit.",
)
NO_SERVER_OF_PROJECT = Rule(
    "no-server-of-project",
    "no server of the project `{project}` ({project_id}) is here",
    "name with `--projects` only projects that have servers here "
    "(`openstack server list --all-projects --host {thing}`), or leave the flag out",
    "A project that matches nothing must be a mistake.",
)
PROJECT_GONE = Rule(
    "project-gone",
    "Keystone has no project `{project}` any more; {count} still on this node",
    "",
    "Only the servers of that project show that its id is right.",
)
ONLY_PROJECTS = Rule(
    "only-projects",
    "`--projects` was given: only servers of {projects} will move, and all others will stay. The "
    "node will not be empty, so do not power it off",
    "",
    "`--projects` was given.",
)
UNKNOWN_TARGET = Rule(
    "unknown-target",
    "`--target {target}` is not a node on which servers could run now",
    "name an enabled node whose nova-compute is up, or leave the flag out",
    "A target that is down, disabled or unknown cannot take a server.",
)
BINDING_LEFT = Rule(
    "binding-left",
    "its port {port} has an inactive binding on `{left_on}`, left behind by a move",
    "`stackward run cancel {run}`, then drain the node again: the new plan first removes that "
    "binding",
    "Its move could not be proved: a port must have one binding, on the node of its server.",
)
STOPS_NO_MORE = Rule(
    "stops-no-more",
    "may no longer be stopped; the plan would stop it if its live migration is slow",
    "plan again",
    "Its owner wrote `stackward:maintenance=live` after the plan was made, and that counts.",
)
LEFT_BEHIND = Rule(
    "left-behind",
    "will stay on the node, as `--leave-behind` asks: the node will not be empty, so do not power "
    "it off",
    "",
    "`--leave-behind` was given.",
)
CHANGED = Rule(
    "changed",
    "is now {status}; the plan would move it {how}",
    "plan again",
    "Its owner has started or stopped it since, so the approved way to move it does not fit.",
)
NOT_TO_MOVE = Rule(
    "not-to-move",
    "must not move: it is left behind, or its project was not named",
    "plan again",
    "Asked again just before each move: only the request says whose servers move.",
)
LEFT_UNDONE = Rule(
    "drain/left-undone",
    "run `{run}` of {operator} did not finish: {undone}; this cannot be done now: {why}",
    "{remedy}",
    "A drain does what an earlier run has left undone. It never hides what it cannot do.",
)


def judge_undone(facts: ComputeNode, undone: Undone) -> Iterator[Blocked]:
    """Ask whether this run can do what another has left undone on the node."""
    claim, again = undone.claim, "then drain the node again"
    returned = f"`stackward node return {facts.name}`"

    def blocks(what: str, why: str, remedy: str) -> Blocked:
        words = {"run": claim.run, "operator": claim.operator, "undone": what}
        return LEFT_UNDONE.blocks(facts.name, why=why, remedy=remedy, **words)

    if facts.claiming_run is None:
        why = f"the database of runs here does not have that run, which is of `{claim.machine}`"
        ask = f"ask {claim.operator} whether that run is over; then"
        yield blocks(undone.words, why, f"{ask} {returned[:-1]} --run {claim.run}`, {again}")
    elif undone.servers and may_be_dead(facts):
        return  # that the machine may be dead is said instead
    elif undone.unread:
        what = undone.words or "it is not known what"
        why = f"whether its nova-compute stays stopped cannot be read: {undone.unread.why}"
        look = f"see `ps -ef` there, or pass `--keep-service`; {again}"
        reach = f"{way_to(undone.unread)}; {again}"
        yield blocks(what, why, reach if undone.unread.may_be_dead else look)
    elif undone.lacks_compute:
        why = "its nova-compute is down, and that needs it"
        yield blocks(undone.words, why, f"{returned} starts it; {again}")


def judge_node(facts: ComputeNode, asked: DrainRequest) -> Iterator[Verdict]:
    """Return every verdict on the node itself."""
    yield from judge_service(facts)
    yield from judge_guests(facts)
    yield from judge_migrations(facts)
    yield from judge_surroundings(facts)
    if asked.keeps_off:
        yield from judge_keeping_off(facts)
    here = {server.id for server in facts.servers}
    for given in asked.how.leave_behind:
        # Once the run goes on, one that is gone is one less to leave behind.
        if given not in here and facts.acting_run is None:
            yield UNKNOWN_LEFT_BEHIND.blocks(facts.name, given=given)
    projects = {server.project for server in facts.servers}
    for project in asked.projects:
        # The same: those that have moved are here no more.
        if project.id not in projects and facts.acting_run is None:
            yield NO_SERVER_OF_PROJECT.blocks(
                facts.name, project=project.name, project_id=project.id
            )
    asking = {each.id for each in facts.servers if asked.takes(each) and needs_consent(each)}
    for consent in asked.how.consents:
        if consent.server not in asking and facts.acting_run is None:
            yield UNKNOWN_CONSENT.blocks(facts.name, given=consent.server)
    usable = {
        name
        for found in facts.candidates.values()
        for each in found
        if each.is_usable
        for name in (each.host, each.name)
    }
    if asked.target is not None and facts.servers and asked.target not in usable:
        yield UNKNOWN_TARGET.blocks(facts.name, target=asked.target)


def judge_returned(node: ComputeNode, claim: Claim, expected: Collection[str]) -> Iterator[Verdict]:
    """Name the servers that are on a node in maintenance, except those expected there."""
    for server in node.servers:
        if server.id not in expected:
            yield CAME_BACK.blocks(
                server.label,
                server.id,
                node=node.name,
                run=claim.run,
                operator=claim.operator,
                machine=claim.machine,
            )


def judge_keeping_off(node: ComputeNode) -> Iterator[Verdict]:
    """Ask whether stopping the unit nova-compute.service will stop nova-compute, and be seen to."""
    running = node.running_as
    if running is None or not node.service.is_up:
        return  # a node that is down is blocked for that
    if isinstance(running, Unread):
        yield KEEPING_OFF_UNSEEN.warns(node.name, why=running.why)
    elif elsewhere := running.outside:
        yield NOT_A_UNIT.blocks(node.name, what=f"its nova-compute is run {elsewhere[0].words}")
    elif running.unit_load == "not-found":
        yield NOT_A_UNIT.blocks(node.name, what="systemd there has no unit `nova-compute.service`")
    elif not running.processes:
        why = "no process of it was found there, although Nova hears from it"
        yield KEEPING_OFF_UNSEEN.warns(node.name, why=why)


def judge_staying(facts: ComputeNode, asked: DrainRequest) -> Iterator[Verdict]:
    """Return what is warned of where servers stay."""
    if asked.projects:
        # One warning, for any other servers here: a server that others build refuses no plan.
        names = ", ".join(f"`{each.name}`" for each in asked.projects)
        yield ONLY_PROJECTS.warns(facts.name, projects=names)
    for project in asked.projects:
        if project.is_gone:
            here = sum(each.project == project.id for each in facts.servers)
            count = count_of(here, "of its servers is", "of its servers are")
            yield PROJECT_GONE.warns(facts.name, project=project.id, count=count)
    for server in facts.servers:
        if server.id in asked.how.leave_behind:
            yield LEFT_BEHIND.warns(server.label, server.id)


def judge_again(facts: ComputeNode, asked: DrainRequest, move: Move[World]) -> Iterator[Blocked]:
    """Return what now blocks a move, from facts that hold its server only."""
    for server in facts.servers:
        if not asked.takes(server):
            yield NOT_TO_MOVE.blocks(server.label, server.id)
    judged, packing = judge_and_pack(facts.servers, facts, asked.how, asked.target)
    for each in judged:
        yield from (verdict for verdict in each.verdicts if isinstance(verdict, Blocked))
        for port, host in compute.left_bindings(each.server):
            yield BINDING_LEFT.blocks(
                move.thing, move.thing_id, port=port, left_on=host, run=facts.acting_run
            )
        if each.way is not None and each.way.value != move.how:
            yield CHANGED.blocks(move.thing, move.thing_id, how=move.how, status=each.server.status)
        if move.instead and by_whose_word(each.server, each.way, asked.how) is None:
            yield STOPS_NO_MORE.blocks(move.thing, move.thing_id)
        pinned = {step.target for step in move.steps if isinstance(step, LiveMigrate | ColdMigrate)}
        offered = {candidate.host for candidate in each.choice.all}
        for target in pinned - offered - {None}:
            yield NOT_ON_TARGET.blocks(
                move.thing, move.thing_id, target=target, why="placement offers it no more"
            )
    yield from packing.left_out


def judge_evacuated(facts: ComputeNode, asked: DrainRequest) -> Iterator[Verdict]:
    """Name what the next start there would destroy: it must leave, or not stay over a restart."""
    for one in facts.evacuations:
        stays = one.server is not None and not asked.takes(one.server)
        yield from judge_lives_on_source([one], starts_compute=stays and not asked.keep_service)

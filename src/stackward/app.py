"""The one place where adapters are chosen and handed to the rest."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING, Any

from stackward.errors import BadInput, StackwardError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from stackward.adapters.store.journal import SqlJournal
    from stackward.engine import Brakes, Rhythm, Workshop
    from stackward.engine.invariants import Broken
    from stackward.engine.verify import Proof
    from stackward.facts.cloud_state import CheckRequest
    from stackward.model.claim import Maintenance
    from stackward.model.cloud import CloudIdentity
    from stackward.model.identity import Itself
    from stackward.model.inventory import Inventory
    from stackward.model.project import Project
    from stackward.model.run import Run, RunState
    from stackward.model.unread import Unread
    from stackward.plan import Kinds, Plan
    from stackward.ports.clock import Clock
    from stackward.ports.figures import Figure
    from stackward.ports.journal import Journal
    from stackward.ports.lookout import Lookout
    from stackward.ports.world import World
    from stackward.settings import Settings

LOOK_S = 0.5  # between two looks at a run that is carried out here


def read_inventory(
    path: Path, reader: Path | None = None, *, by_ansible: bool | None = None
) -> "Inventory":
    """Read the inventory that names the nodes.

    `reader` is the program of Ansible that the settings name. Where they do, it is used, unless the
    operator says otherwise; where they do not, it is used only if the operator says so.
    """
    # Imported here: listing runs and `--help` need no YAML.
    from stackward.adapters import inventory  # noqa: PLC0415

    if reader is not None if by_ansible is None else by_ansible:
        return inventory.read_inventory_by_ansible(path, str(reader) if reader else None)
    return inventory.read_inventory(path)


@contextmanager
def open_world(known: "Inventory", os_cloud: str | None) -> Iterator["World"]:
    """Connect to the cloud and its nodes; what was opened is closed again."""
    # Imported here: `node list` needs no cloud.
    from stackward.adapters.clock import SystemClock  # noqa: PLC0415
    from stackward.adapters.openstack import connect  # noqa: PLC0415
    from stackward.adapters.ssh import Ssh  # noqa: PLC0415
    from stackward.adapters.together import Threads  # noqa: PLC0415
    from stackward.ports.world import World  # noqa: PLC0415

    shell = Ssh(known)
    try:
        cloud = connect(os_cloud)
        yield World(
            clock=SystemClock(),
            cloud=cloud,
            nova=cloud.nova,
            placement=cloud.placement,
            neutron=cloud.neutron,
            cinder=cloud.cinder,
            glance=cloud.glance,
            keystone=cloud.keystone,
            masakari=cloud.masakari,
            shell=shell,
            together=Threads(),
        )
    finally:
        shell.close()


@contextmanager
def open_lookout(known: "Inventory", os_cloud: str | None) -> Iterator["Lookout"]:
    """Make ready to look at the cloud and its nodes; no call is made yet."""
    from stackward.adapters.clock import SystemClock  # noqa: PLC0415  # as above
    from stackward.adapters.openstack import connect_to_look  # noqa: PLC0415  # as above
    from stackward.adapters.ssh import Ssh  # noqa: PLC0415  # as above
    from stackward.adapters.together import Threads  # noqa: PLC0415  # as above
    from stackward.ports.lookout import Lookout  # noqa: PLC0415  # as above

    shell = Ssh(known)
    try:
        yield Lookout(
            clock=SystemClock(),
            shell=shell,
            apis=connect_to_look(os_cloud),
            together=Threads(),
            nodes=tuple(node.name for node in known.nodes if node.left_out is None),
            unknown={node.name: node.unknown for node in known.nodes if node.unknown},
            left_out={node.name: node.left_out for node in known.nodes if node.left_out},
            logins={node.name: node.login for node in known.nodes},
        )
    finally:
        shell.close()


def figures_as_text(figures: "Iterable[Figure]") -> str:
    """Return figures in Prometheus's own form."""
    from stackward.adapters import metrics  # noqa: PLC0415  # as above

    return metrics.as_text(figures)


def write_figures(figures: "Iterable[Figure]", path: Path) -> None:
    """Write figures for node_exporter to collect."""
    from stackward.adapters import metrics  # noqa: PLC0415  # as above

    metrics.write_file(figures, path)


def serve_figures(  # noqa: PLR0913  # what it serves, where and how often
    lookout: "Lookout",
    asked: "CheckRequest",
    host: str,
    port: int,
    *,
    every_s: float,
    looks: int | None = None,
) -> None:
    """Look again and again, and serve the figures of the latest look over HTTP."""
    from stackward.adapters.metrics import Served  # noqa: PLC0415  # as above
    from stackward.looking import check_cloud  # noqa: PLC0415  # as above
    from stackward.report.figures import figures_of  # noqa: PLC0415  # as above

    served = Served(host, port)
    state, done = None, 0
    try:
        while looks is None or done < looks:
            began = lookout.clock.monotonic()
            health, state = check_cloud(lookout, asked, state)
            served.show(figures_of(health))
            done += 1
            lookout.clock.wait(max(1.0, every_s - (lookout.clock.monotonic() - began)))
    finally:
        served.close()


def read_projects(world: "World", words: "Sequence[str]", node: str) -> "tuple[Project, ...]":
    """Return the projects that the words name, by id or name; servers of the node may know more."""
    from stackward.facts import projects  # noqa: PLC0415  # as above

    return projects.read_projects(world, words, node)


def state_now(run: "Run", now: "datetime") -> "RunState":
    """Return the state of a run; one whose worker has died is stopped, whatever it wrote last."""
    from stackward.status import run as status  # noqa: PLC0415  # as above

    return status.state_now(run, node(), now)


def read_plan(text: str) -> "Plan[Any]":
    """Read a stored plan; refuse what this version does not understand."""
    from stackward.plan import from_json  # noqa: PLC0415  # as above

    return from_json(text, known_kinds())


def known_kinds() -> "Kinds":
    """Return the kinds of requests, steps and checks that a stored plan may hold."""
    from stackward.kinds import KINDS  # noqa: PLC0415  # as above

    return KINDS


def read_maintenance(
    world: "World", remembered: "Mapping[str, Itself] | None" = None
) -> "tuple[Maintenance, ...]":
    """Return the nodes that are out of service, and by whose word; no journal is needed."""
    from stackward.facts import compute  # noqa: PLC0415  # as above

    return compute.read_maintenance(world, remembered)


def memory_of(settings: "Settings") -> "Callable[[str], Mapping[str, Itself] | Unread]":
    """Return what reads the names that the nodes of a cloud once gave themselves.

    A journal that cannot be read fails nothing; it is not made, nor migrated: a look only reads.
    """

    def remember(cloud: str) -> "Mapping[str, Itself] | Unread":
        from stackward.adapters.store.database import file_of  # noqa: PLC0415  # as above
        from stackward.adapters.store.kept import observations_of  # noqa: PLC0415  # as above
        from stackward.adapters.store.listing import is_there  # noqa: PLC0415  # as above
        from stackward.facts.observed import NAMES, remembered_in  # noqa: PLC0415  # as above
        from stackward.model.unread import Unread  # noqa: PLC0415  # as above

        try:
            url = database_url(settings)
            file = file_of(url)
            if file is not None and not is_there(file):
                return {}
            return remembered_in(observations_of(url, cloud, NAMES))
        except StackwardError as error:
            return Unread(error.message)
        except OSError as error:
            return Unread(str(error))

    return remember


def prove(world: "World", plan: "Plan[World]") -> "list[Proof]":
    """Ask what a plan proves at its end; nothing is changed, and nothing is remembered."""
    from stackward.engine.verify import ask_all  # noqa: PLC0415  # as above

    return ask_all(plan.verify, world)


def database_url(settings: "Settings") -> str:
    """Return where runs are remembered."""
    from stackward.adapters.store.database import url_of  # noqa: PLC0415  # `--help` needs no journal

    return settings.database or url_of(settings.state_dir)


@contextmanager
def open_journal(settings: "Settings", brakes: "Brakes | None" = None) -> "Iterator[SqlJournal]":
    """Open the memory of runs; who leaves at once does not wait for a server that is away."""
    from stackward.adapters.store.database import open_database  # noqa: PLC0415  # as above
    from stackward.adapters.store.journal import SqlJournal  # noqa: PLC0415  # as above

    database = open_database(database_url(settings))
    journal = SqlJournal(database, gives_up=lambda: brakes is not None and brakes.is_leaving)
    try:
        yield journal
    finally:
        journal.close()


def carry_on(  # what a run is carried out with
    run_id: str,
    shop: "Workshop[Any]",
    brakes: "Brakes",
    meanwhile: Callable[[], None] = lambda: None,
    *,
    seen: int | None = None,
) -> "Run":
    """Carry out a run: from its beginning, or from where a dead process left it.

    It is not taken up if its epoch is another than the one at which it was `seen`.
    `meanwhile` is called in this thread, again and again while the run goes on, and once when it
    has ended. What went wrong inside is raised here, whichever thread met it.
    """
    from concurrent.futures import ThreadPoolExecutor, wait  # noqa: PLC0415  # as above

    from stackward.engine import carry_out  # noqa: PLC0415  # as above

    # The pool is left last: whatever `meanwhile` meets, the run is not abandoned for it.
    with ThreadPoolExecutor(1) as aside:
        carried = aside.submit(carry_out, run_id, shop, brakes, seen=seen)
        while wait([carried], timeout=LOOK_S).not_done:
            meanwhile()
        meanwhile()
        return carried.result()


def system_clock() -> "Clock":
    """Return the system's clock."""
    from stackward.adapters.clock import SystemClock  # noqa: PLC0415  # as above

    return SystemClock()


def list_runs(settings: "Settings", limit: int) -> "Sequence[Run]":
    """Return the latest runs; quickly, where they are in a file."""
    from stackward.adapters.store import listing  # noqa: PLC0415  # as above

    file: Path | None = settings.state_dir / listing.FILE
    if settings.database is not None:
        from stackward.adapters.store.database import file_of  # noqa: PLC0415  # as above

        file = file_of(settings.database)
    if file is not None:
        return listing.list_runs(file, limit)
    with open_journal(settings) as journal:
        return journal.runs(limit=limit)


def broken_invariants(settings: "Settings", run_id: str | None) -> "tuple[list[Broken], int]":
    """Return what is broken in the journal, or of one run, and how many runs were looked at.

    The database is read at one moment, whatever its version; nothing in it is changed.
    """
    from stackward.adapters.store.database import file_of  # noqa: PLC0415  # as above
    from stackward.adapters.store.kept import found_by, open_histories  # noqa: PLC0415  # as above
    from stackward.adapters.store.listing import is_there  # noqa: PLC0415  # as above
    from stackward.engine.invariants import broken_in  # noqa: PLC0415  # as above

    url = database_url(settings)
    file = file_of(url)
    if file is not None and not is_there(file):  # there are no runs yet
        if run_id is not None:
            found_by(run_id, ())
        return [], 0
    with open_histories(url, run_id) as kept:
        broken, looked = list["Broken"](), 0
        for history in kept:
            broken += broken_in(history)
            looked += 1
    return broken, looked


def give_up_on(run_id: str, by: str, why: str, journal: "Journal") -> "Run":
    """Cancel a stopped run whose end nobody can see, for the reason that a person gives."""
    from stackward.engine.cancel import give_up  # noqa: PLC0415  # as above
    from stackward.errors import BadInput  # noqa: PLC0415  # as above

    if not why.strip():
        raise BadInput("`--give-up` needs a reason", hint="it is kept with the run")
    return give_up(run_id, by, why.strip(), node(), journal, known_kinds(), system_clock())


def is_without_workers(journal: "Journal", run: "Run", now: "datetime") -> bool:
    """Say whether no worker of the run's cloud was heard of lately, as far as clocks agree."""
    from stackward.model.worker import was_heard  # noqa: PLC0415  # as above

    return not any(
        was_heard(each.beat_at, now) and each.may_take(run) for each in journal.workers()
    )


def workshop(world: "World", journal: "Journal") -> "Workshop[World]":
    """Return what this process carries runs out with."""
    from dataclasses import replace  # noqa: PLC0415  # as above

    from stackward.adapters.openstack.polled import Poller  # noqa: PLC0415  # as above
    from stackward.engine import Workshop  # noqa: PLC0415  # as above
    from stackward.operations import operations_in_run  # noqa: PLC0415  # as above
    from stackward.ports.world import Acting  # noqa: PLC0415  # as above
    from stackward.status.run import worker_here  # noqa: PLC0415  # as above

    machine = node()

    def acting(run: "Run") -> "World":
        return replace(world, acting=Acting(run.id, run.approval.by, machine))

    return Workshop(
        journal=journal,
        operations=operations_in_run(journal),
        kinds=known_kinds(),
        clock=world.clock,
        world_of=acting,
        cloud=world.cloud.identity(),
        poll=Poller(),
        worker=worker_here(machine),
    )


def run_to_resume(journal: "Journal", run_id: str, *, take_over: bool) -> "Run":
    """Return the run that is to be carried on, or refuse it; neither cloud nor nodes are asked."""
    from stackward.status.run import (  # noqa: PLC0415  # as above
        refuse_a_living_worker,
        refuse_if_over,
    )

    run = journal.run(run_id)
    refuse_if_over(run)
    if not take_over:
        refuse_a_living_worker(run, node(), system_clock().now())
    read_plan(run.plan)
    return run


def resume(  # what a run is carried out with
    run: "Run",
    shop: "Workshop[Any]",
    brakes: "Brakes",
    *,
    take_over: bool,
    meanwhile: Callable[[], None],
) -> "Run":
    """Carry a run on, unless somebody else does."""
    if not take_over:
        refuse_a_living_worker(run)
    return carry_on(run.id, shop, brakes, meanwhile, seen=run.epoch)


def refuse_a_living_worker(run: "Run") -> None:
    """Refuse to take a run from somebody who carries it out."""
    from stackward.status import run as status  # noqa: PLC0415  # as above

    status.refuse_a_living_worker(run, node(), system_clock().now())


def with_database(settings: "Settings", url: str) -> "Settings":
    """Return the settings with a database that was named on the command line."""
    from dataclasses import replace  # noqa: PLC0415  # as above

    from stackward.adapters.store.database import has_password  # noqa: PLC0415  # as above

    if has_password(url):
        raise BadInput(
            "there is a password in the URL of the database, where every user of this machine "
            "can read it",
            stands="nothing was begun",
            hint="leave it out: put it into ~/.pgpass, or into a file that PGPASSFILE names; "
            "and change it, since it was shown",
        )
    return replace(settings, database=url)


def work(  # noqa: PLR0913  # what a worker is
    settings: "Settings",
    name: str | None,
    open_shop: "Callable[[Journal], AbstractContextManager[Workshop[Any]]]",
    brakes: "Brakes",
    say: Callable[[str], None],
    *,
    at_once: int,
    rhythm: "Rhythm | None" = None,
) -> None:
    """Take up queued runs and carry them out, until the brakes are pressed."""
    from dataclasses import replace  # noqa: PLC0415  # as above

    from stackward.adapters.wakeup import SocketWakeup  # noqa: PLC0415  # as above
    from stackward.engine import (  # noqa: PLC0415  # as above
        Crew,
        Rhythm,
        carry_out_taken,
        worker_named,
    )
    from stackward.engine import work as work_as  # noqa: PLC0415  # as above
    from stackward.plan import from_json, left_to_operators  # noqa: PLC0415  # as above

    clock = system_clock()
    me = worker_named(name or node(), node(), clock)
    with open_journal(settings, brakes) as journal:
        with open_shop(journal) as shop:  # what cannot be opened is said before a run is taken
            kinds, cloud = shop.kinds, shop.cloud
        me = replace(me, cloud=cloud.id if cloud else None)

        def why_not(run: "Run") -> str | None:
            try:
                plan = from_json(run.plan, kinds)
            except BadInput:
                return "its plan is of another version of Stackward"
            return None if cloud is None else left_to_operators(plan, cloud)

        def reach() -> "CloudIdentity | None":
            with open_shop(journal) as shop:
                return shop.cloud

        def carry(run: "Run") -> "Run":
            # Opened for each run: inventory and credentials as they are now.
            with open_shop(journal) as shop:
                return carry_out_taken(run, shop, brakes)

        with closing(SocketWakeup()) as wakeup, journal.heard(me.life, wakeup.wake, say) as hears:
            brakes.when_pressed(wakeup.wake)
            work_as(
                Crew(
                    me=me,
                    journal=journal,
                    clock=clock,
                    why_not=why_not,
                    carry=carry,
                    cloud=cloud,
                    reach=reach,
                    brakes=brakes,
                    say=say,
                    wakeup=wakeup,
                    hears=hears,
                    at_once=at_once,
                    rhythm=rhythm or Rhythm(),
                )
            )

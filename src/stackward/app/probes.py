"""What a look at the cloud and its nodes is made with; it changes nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from stackward.adapters.clock import SystemClock
from stackward.adapters.openstack import connect_to_look
from stackward.adapters.power.logins import Logins
from stackward.adapters.power.named import devices_of
from stackward.adapters.ssh import Ssh
from stackward.adapters.ssh.processes import Processes
from stackward.adapters.store.database import file_of
from stackward.adapters.store.kept import is_of_older_version, observations_of
from stackward.adapters.store.listing import is_there
from stackward.adapters.together import Threads
from stackward.app.journal import database_url, open_journal
from stackward.errors import StackwardError
from stackward.facts.observed import NAMES, remembered_in
from stackward.model.identity import Itself
from stackward.model.inventory import Inventory
from stackward.model.observation import Observation
from stackward.model.unread import Unread
from stackward.ports.probes import Probes
from stackward.settings import Settings


@contextmanager
def open_probes(known: Inventory, os_cloud: str | None, settings: Settings) -> Iterator[Probes]:
    """Make ready to look at the cloud, its nodes and their power; no call is made yet."""
    shell, agents = Ssh(known), Processes()
    try:
        yield Probes(
            clock=SystemClock(),
            shell=shell,
            apis=connect_to_look(os_cloud),
            together=Threads(),
            nodes=tuple(node.name for node in known.nodes if node.left_out is None),
            unknown={node.name: node.unknown for node in known.nodes if node.unknown},
            left_out={node.name: node.left_out for node in known.nodes if node.left_out},
            logins={node.name: node.login for node in known.nodes},
            power=devices_of(known, Logins(settings.bmc_auth), settings.bmc_ca, agents),
            log_in_anew=shell.log_in_anew,
        )
    finally:
        shell.close()
        agents.close()


def memory_of(settings: Settings) -> Callable[[str], Mapping[str, Itself] | Unread]:
    """Return a function that reads the names that the nodes of a cloud once gave themselves.

    A journal that cannot be read fails nothing. It is not made or migrated: a look only reads.
    """

    def remember(cloud: str) -> Mapping[str, Itself] | Unread:
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


def keeper_of(settings: Settings) -> Callable[[Sequence[Observation]], Unread | None]:
    """Return a function that stores observations; if it cannot, it returns why: that fails nothing.

    What is seen while a node is well shows later which machine it was, and what ran there. A
    journal of an older version is not changed: workers of that version may be at work.
    """

    def keep(seen: Sequence[Observation]) -> Unread | None:
        try:
            url = database_url(settings)
            file = file_of(url)
            if (file is None or is_there(file)) and is_of_older_version(url):
                return Unread(
                    "the database of runs is of an older version; the next plan migrates it"
                )
            with open_journal(settings) as journal:
                journal.observe(seen)
        except StackwardError as error:
            return Unread(error.message)
        except OSError as error:
            return Unread(str(error))
        return None

    return keep

"""The ports that a health check is given: it looks, and can change nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stackward.model.identity import Itself
from stackward.model.login import Login
from stackward.model.observation import Observation
from stackward.model.unread import Unread
from stackward.ports.apis import Apis
from stackward.ports.clock import Clock
from stackward.ports.power import PowerReader
from stackward.ports.shell import Shell
from stackward.ports.together import Together


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """All that is needed to see how a cloud is."""

    clock: Clock
    shell: Shell
    apis: Apis
    together: Together
    nodes: tuple[str, ...]  # that the inventory names, without those that are left out
    unknown: Mapping[str, str] = field(default_factory=dict)  # why it is unknown how to reach it
    # What the nodes of a cloud, by its id, once said of themselves; or why that cannot be read.
    remember: Callable[[str], Mapping[str, Itself] | Unread] = lambda _cloud: {}
    # Keeps what was seen, for when a node is silent; or says why not. None: nobody keeps it.
    keep: Callable[[Sequence[Observation]], Unread | None] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)  # how it is reached, instead of ssh
    logins: Mapping[str, Login] = field(default_factory=dict)  # how a person logs in to it
    # What switches the nodes' power, to be asked only; None: this look does not ask it.
    power: PowerReader | None = None
    # Ends the connections of the look before: they go on where nobody can log in any more.
    log_in_anew: Callable[[], None] = lambda: None

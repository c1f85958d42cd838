"""Whether what runs now would start by itself at the next boot, and what has it do so."""

from collections.abc import Mapping

from stackward.anatomy import keeper_of
from stackward.model.survey import AT_BOOT, NO_RESTART, Survey, Unit, Unseen

UNTIL_BOOT = frozenset({"enabled-runtime", "linked-runtime", "transient"})  # gone with /run
_STATIC = "static"  # has no `[Install]`: nothing can enable it


def not_at_boot(survey: Survey, unit: Unit) -> str:
    """Return what would have a unit start at the next boot; empty where it does by itself.

    What is not known counts as if it did: whether an engine starts a container, who wants a unit
    that wants this one.
    """
    units = {} if isinstance(survey.units, Unseen) else survey.units
    if unit.is_container:
        return _container(unit, units)
    if _starts(unit, units, set()):
        return ""
    if unit.enabled in UNTIL_BOOT:
        return f"it is enabled until then only: `systemctl enable {unit.name}`"
    if unit.enabled == _STATIC:
        return (
            f"see what started it (`systemctl list-dependencies --reverse {unit.name}`) and enable "
            f"that; if nothing is to, `systemctl add-wants multi-user.target {unit.name}`"
        )
    return f"`systemctl enable {unit.name}`"


def _starts(unit: Unit, units: Mapping[str, Unit], seen: set[str]) -> bool:
    """Say whether a unit starts at boot: it is enabled, or what starts at boot wants it.

    A service and its socket may want each other: that alone starts neither.
    """
    if unit.name in seen or unit.load == "masked" or unit.enabled in UNTIL_BOOT:
        return False
    if unit.enabled in AT_BOOT:
        return True
    seen.add(unit.name)
    # A target, and what was not asked about, is taken to be there.
    starters = (units.get(name) for name in (*unit.wanted_by, *unit.triggered_by))
    return any(one is None or _starts(one, units, seen) for one in starters)


def _container(unit: Unit, units: Mapping[str, Unit]) -> str:
    if unit.enabled != NO_RESTART:
        return ""  # or it was not reported
    keeper = units.get(keeper_of(unit.name))
    if keeper is not None:
        starts = _starts(keeper, units, set())
        return "" if starts else f"`systemctl enable {keeper.name}`"
    return (
        f"its restart policy is `no`: `{unit.engine or 'docker'} update --restart unless-stopped "
        f"{unit.name}`, or deploy it again"
    )

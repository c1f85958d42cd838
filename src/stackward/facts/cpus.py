"""How many CPUs of each kind a server asks for, by the policies of its flavor and its image.

After nova 31.0 (2025.1): `virt/hardware.py` get_cpu_policy_constraint, parse_cpu_spec,
get_dedicated_cpu_constraint, get_realtime_cpu_constraint and
get_emulator_thread_policy_constraint; `scheduler/utils.py` _translate_pinning_policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stackward.model.flavor import Flavor

POLICIES = frozenset({"dedicated", "shared", "mixed"})
THREADS = frozenset({"prefer", "isolate", "require"})
_EMULATOR = frozenset({"share", "isolate"})
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})


@dataclass(frozen=True, slots=True)
class Cpus:
    """What is asked for explicitly: shared ones (VCPU) and dedicated ones (PCPU)."""

    shared: int | None = None  # None: all that the flavor has
    dedicated: int | None = None


@dataclass(frozen=True, slots=True)
class CpuConflict:
    """Policies that contradict each other, or that Nova does not know: it refuses every move."""

    why: str


def cpus_of(flavor: Flavor, image: Mapping[str, str]) -> Cpus | CpuConflict:
    """Return what a server asks for."""
    policy = _policy(flavor, image)
    emulator = flavor.spec("hw:emulator_threads_policy") or None
    if isinstance(policy, CpuConflict):
        return policy
    if emulator is not None and emulator not in _EMULATOR:
        return CpuConflict(f"`hw:emulator_threads_policy={emulator}` is not known")
    extra = 1 if emulator == "isolate" else 0
    match policy:
        case "dedicated":
            return Cpus(dedicated=flavor.vcpus + extra)
        case "mixed":
            pinned = _pinned(flavor, image)
            if isinstance(pinned, CpuConflict):
                return pinned
            return Cpus(shared=flavor.vcpus - pinned, dedicated=pinned + extra)
        case _:
            return Cpus()


def thread_policy_of(flavor: Flavor, image: Mapping[str, str]) -> str | CpuConflict | None:
    """Return how hyper-threads are used, as `get_cpu_thread_policy_constraint` has it."""
    own, its = flavor.spec("hw:cpu_thread_policy") or None, image.get("hw_cpu_thread_policy")
    for where, given in (("hw:cpu_thread_policy", own), ("hw_cpu_thread_policy", its)):
        if given and given not in THREADS:
            return CpuConflict(f"`{where}={given}` is not known")
    if own is None or own == "prefer":
        return own or its or None
    if its and its != own:
        return CpuConflict(f"its flavor has the thread policy `{own}`, its image `{its}`")
    return own


def is_true(word: str | None) -> bool:
    """Read a Boolean as oslo.utils does."""
    return (word or "").strip().lower() in _TRUE


def _policy(flavor: Flavor, image: Mapping[str, str]) -> str | CpuConflict | None:
    own, its = flavor.spec("hw:cpu_policy") or None, image.get("hw_cpu_policy") or None
    for where, given in (("hw:cpu_policy", own), ("hw_cpu_policy", its)):
        if given and given not in POLICIES:
            return CpuConflict(f"`{where}={given}` is not known")
    # A flavor may dedicate CPUs that an image shares; an image never goes beyond its flavor.
    beyond = {"mixed": {"dedicated"}, "shared": {"mixed", "dedicated"}}.get(own or "", set())
    if its in beyond:
        return CpuConflict(f"its flavor has the CPU policy `{own}`, its image `{its}`")
    return own or its


def _pinned(flavor: Flavor, image: Mapping[str, str]) -> int | CpuConflict:
    """Return how many CPUs of a mixed server are dedicated: by its mask, or the realtime ones."""
    everything = set(range(flavor.vcpus))
    mask = flavor.spec("hw:cpu_dedicated_mask")
    if mask:
        found = parse_mask(mask, flavor.vcpus)
        if not found or found == everything or not found <= everything:
            return CpuConflict(f"`hw:cpu_dedicated_mask={mask}` is no part of its CPUs")
        return len(found)
    if not is_true(flavor.spec("hw:cpu_realtime")):
        return CpuConflict("it is `mixed`, and nothing says which of its CPUs are dedicated")
    mask = image.get("hw_cpu_realtime_mask") or flavor.spec("hw:cpu_realtime_mask")
    found = parse_mask(mask, flavor.vcpus) if mask else everything
    if not found or not found <= everything:
        return CpuConflict(f"its realtime mask `{mask}` is no part of its CPUs")
    if found == everything and not flavor.spec("hw:emulator_threads_policy"):
        return CpuConflict("all its CPUs are realtime ones, and none is left for the emulator")
    return len(found)


def parse_mask(mask: str, vcpus: int) -> set[int] | None:
    """Read `0-3,^2`; one that begins with `^` takes away from all. None where it makes no sense."""
    text = f"0-{vcpus - 1},{mask}" if mask.strip().startswith("^") else mask
    kept: set[int] = set()
    left_out: set[int] = set()
    for rule in filter(None, map(str.strip, text.split(","))):
        first, _, last = rule.removeprefix("^").partition("-")
        try:
            start, end = int(first), int(last or first)
        except ValueError:
            return None
        is_taken_away = rule.startswith("^")
        if start > end or (end >= vcpus and not is_taken_away):
            return None  # and never counted to its end: any user may have written it
        (left_out if is_taken_away else kept).update(range(start, min(end, vcpus) + 1))
    return kept - left_out

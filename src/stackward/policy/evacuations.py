"""A server that lives on the source of its own open evacuation: a start there destroys it."""

from collections.abc import Iterable, Iterator

from stackward.model.evacuation import OpenEvacuation
from stackward.plan import Verdict
from stackward.policy.rule import Rule

LIVES_ON_SOURCE = Rule(
    "evacuation/lives-on-source",
    "Nova has it on `{host}`, but the record of an old evacuation from there is still open "
    "({record}, {status}): the next start of nova-compute there destroys it, with its disks",
    "do not restart nova-compute there; `stackward node drain {host}` moves the server off, then "
    "`stackward node return {host}` ends the record of its evacuation",
    "nova 31.0 compute/manager.py, _destroy_evacuated_instances: it goes by the record alone, and "
    "never looks where the server is.",
)


def judge_lives_on_source(
    evacuations: Iterable[OpenEvacuation], *, starts_compute: bool
) -> Iterator[Verdict]:
    """Name each such server: what starts nova-compute there is blocked, all else is warned."""
    for one in evacuations:
        if not one.is_home or one.server is None:
            continue
        judged = LIVES_ON_SOURCE.blocks if starts_compute else LIVES_ON_SOURCE.warns
        yield judged(
            one.server.label,
            one.server.id,
            host=one.record.source,
            record=one.record.id,
            status=one.record.status,
        )

"""Which image, flavor and network an acceptance server is made of.

Named by the operator, by name or id; otherwise the smallest that will do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from stackward.errors import BadInput
from stackward.facts.named import several
from stackward.model.flavor import OfferedFlavor
from stackward.model.image import Image
from stackward.model.maintenance import ReturningNode
from stackward.model.network import Network
from stackward.requests.return_compute_node import ReturnRequest

_GIB = 2**30
_DISKS = {"raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "ploop"}  # not `iso`, `aki`, `ari`, `ami`

Offered = TypeVar("Offered", Image, OfferedFlavor, Network)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the acceptance server is made of."""

    image: Image
    flavor: OfferedFlavor
    network: Network | None


def choose_parts(facts: ReturningNode, asked: ReturnRequest) -> Parts:
    """Return what the words of the request name; `BadInput` where one names nothing."""
    image = choose_image(facts.images, asked.image)
    return Parts(
        image,
        choose_flavor(facts.flavors, image, asked.flavor),
        choose_network(facts.networks, asked.network),
    )


def choose_image(offered: Sequence[Image], word: str | None) -> Image:
    """Return the image that the word names, else the smallest active public one."""
    if word is not None:
        image = _only(offered, word, "image")
        if image.status != "active":
            raise BadInput(
                f"the image `{word}` is `{image.status}`", hint="name an active one with `--image`"
            )
        return image
    fitting = [
        each
        for each in offered
        if each.status == "active"
        and each.is_public
        and not each.is_hidden
        and each.disk_format in _DISKS
    ]
    return _smallest(fitting, lambda each: (each.size_bytes, each.id), "image")


def choose_flavor(
    offered: Sequence[OfferedFlavor], image: Image, word: str | None
) -> OfferedFlavor:
    """Return the flavor that the word names, else the smallest ordinary one that fits the image."""
    if word is not None:
        named = [each for each in offered if word in {each.id, each.name}]
        return _only(named, word, "flavor")
    fitting = [
        each
        for each in offered
        if each.is_public and not each.is_disabled and not each.extra_specs and _fits(image, each)
    ]
    return _smallest(
        fitting, lambda each: (each.ram_mib, each.vcpus, each.disk_gib, each.id), "flavor"
    )


def choose_network(offered: Sequence[Network], word: str | None) -> Network | None:
    """Return the network that the word names; None where none was named."""
    return None if word is None else _only(offered, word, "network")


def _fits(image: Image, flavor: OfferedFlavor) -> bool:
    disk = max(image.min_disk_gib, (image.virtual_bytes or image.size_bytes) / _GIB)
    has_disk = flavor.disk_gib == 0 or flavor.disk_gib >= disk
    return flavor.ram_mib >= image.min_ram_mib and has_disk


def _only(found: Sequence[Offered], word: str, what: str) -> Offered:
    if len(found) == 1:
        return found[0]
    if not found:
        raise BadInput(f"there is no {what} `{word}`", hint=f"`openstack {what} list` shows them")
    raise several(what, word, [each.id for each in found])


def _smallest(
    fitting: Sequence[Offered], size: Callable[[Offered], tuple[object, ...]], what: str
) -> Offered:
    if not fitting:
        raise BadInput(
            f"no public {what} will do for the acceptance server", hint=f"name one with `--{what}`"
        )
    return min(fitting, key=size)

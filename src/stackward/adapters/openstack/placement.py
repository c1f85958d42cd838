"""Placement's API as the port `Placement`, and its JSON as values."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from stackward.adapters.openstack.answers import Json, text
from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.paths import at
from stackward.adapters.openstack.services import PLACEMENT_OLDEST
from stackward.model.placement import (
    Account,
    Candidate,
    Need,
    Provider,
    ResourceInventory,
    Resources,
)

_NO_KIND = "unknown"  # placement's word for a consumer that was made before 1.38: Nova's are


class PlacementApi:
    """Placement, behind openstacksdk."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def provider(self, provider: str, /) -> Provider:
        """Return a node's account at placement."""
        path, read = at("/resource_providers/{}", provider), self._api.read
        return Provider(
            id=provider,
            inventories=read(f"{path}/inventories", to_inventories),
            usages=read(f"{path}/usages", to_usages),
            allocations=read(f"{path}/allocations", to_allocations),
            traits=read(f"{path}/traits", to_traits),
        )

    def allocations_of(self, consumer: str, /) -> frozenset[str]:
        """Return the providers on which a server, or a migration, holds allocations."""
        path = at("/allocations/{}", consumer)
        return frozenset(self._api.read(path, to_allocations))

    def allocations_on(self, provider: str, /) -> Mapping[str, Resources]:
        """Return what each consumer holds of one provider."""
        return self._api.read(at("/resource_providers/{}/allocations", provider), to_allocations)

    def account_of(self, consumer: str, /) -> Account | None:
        """Return all that a consumer holds; None where it holds nothing."""
        account = self._api.read(
            at("/allocations/{}", consumer), lambda given: to_account(consumer, given)
        )
        return account if account.allocations else None

    def keep_allocations(self, account: Account, providers: Collection[str], /) -> str | None:
        """Let a consumer hold only what it has on some providers, if it is as it was read."""
        path, body = at("/allocations/{}", account.consumer), to_kept(account, providers)
        # Later ones want a kind, and take none for one that was made without: Nova's own.
        version = None if "consumer_type" in body else PLACEMENT_OLDEST
        return self._api.change("PUT", path, body, version=version)

    def candidates(
        self, need: Need, /, *, member_of: Sequence[str], limit: int
    ) -> tuple[Candidate, ...]:
        """Return the nodes on which placement sees room for one server of a need."""
        query = to_query(need, member_of, limit)
        return self._api.read("/allocation_candidates", to_candidates, query)

    def provider_names(self) -> dict[str, str]:
        """Return the name of every resource provider, by its id."""
        return dict(self._api.every("/resource_providers", "resource_providers", to_name))

    def provider_roots(self) -> dict[str, str]:
        """Return by the id of every resource provider that of its tree's root."""
        return dict(self._api.every("/resource_providers", "resource_providers", to_root))


def to_inventories(given: Json) -> dict[str, ResourceInventory]:
    """Read `GET /resource_providers/{uuid}/inventories`."""
    return {
        name: ResourceInventory(
            total=one["total"], reserved=one["reserved"], ratio=one["allocation_ratio"]
        )
        for name, one in given["inventories"].items()
    }


def to_usages(given: Json) -> dict[str, int]:
    """Read `GET /resource_providers/{uuid}/usages`."""
    return dict(given["usages"])


def to_allocations(given: Json) -> dict[str, dict[str, int]]:
    """Read the allocations of a provider or of a consumer, by the other of the two."""
    return {name: dict(one["resources"]) for name, one in given["allocations"].items()}


def to_account(consumer: str, given: Json) -> Account:
    """Read `GET /allocations/{consumer}` (1.28 and later); 1.38 and later give its kind."""
    return Account(
        consumer=consumer,
        generation=given.get("consumer_generation"),
        project=given.get("project_id") or "",
        user=given.get("user_id") or "",
        allocations=to_allocations(given),
        kind=given.get("consumer_type"),
    )


def to_kept(account: Account, providers: Collection[str]) -> Json:
    """Return the body of `PUT /allocations/{consumer}`; with its kind where it has one."""
    return {
        "allocations": {
            one: {"resources": dict(held)}
            for one, held in account.allocations.items()
            if one in providers
        },
        "project_id": account.project,
        "user_id": account.user,
        "consumer_generation": account.generation,
    } | ({"consumer_type": account.kind} if account.kind not in {None, _NO_KIND} else {})


def to_traits(given: Json) -> frozenset[str]:
    """Read `GET /resource_providers/{uuid}/traits`."""
    return frozenset(map(text, _listed(given["traits"])))


def to_name(given: Json) -> tuple[str, str]:
    """Read the id and the name of an element of `GET /resource_providers`."""
    return text(given["uuid"]), text(given["name"])


def to_root(given: Json) -> tuple[str, str]:
    """Read the id and the root of an element of `GET /resource_providers` (1.14 and later)."""
    return text(given["uuid"]), text(given["root_provider_uuid"])


def _listed(given: object) -> list[object]:
    if not isinstance(given, list):
        raise TypeError("no list where one was expected")
    return given


def to_query(need: Need, member_of: Sequence[str], limit: int) -> list[tuple[str, str]]:
    """Return what `GET /allocation_candidates` is asked, as Nova's scheduler asks it."""
    traits = [*need.required, *(f"!{trait}" for trait in need.forbidden)]
    query = [("limit", str(limit)), *need.further]
    if need.resources:
        query.append(("resources", ",".join(f"{name}:{amount}" for name, amount in need.resources)))
    if traits:
        query.append(("required", ",".join(traits)))
    query += [("member_of", each) for each in member_of]
    if need.further and "group_policy" not in dict(need.further):
        query.append(("group_policy", "none"))
    return query


def to_candidates(given: Json) -> tuple[Candidate, ...]:
    """Read `GET /allocation_candidates` (1.29 and later): one candidate per tree of providers.

    What the providers of a tree have of one resource class is added up: a NUMA cell or a GPU counts
    as a part of its node.
    """
    summaries: dict[str, Json] = given["provider_summaries"]
    asked = {
        summaries[provider]["root_provider_uuid"]
        for request in given["allocation_requests"]
        for provider in request["allocations"]
    }
    trees: dict[str, list[Json]] = defaultdict(list)
    for summary in summaries.values():
        trees[summary["root_provider_uuid"]].append(summary)
    return tuple(
        _candidate(root, trees[root]) for root in dict.fromkeys(_roots(given)) if root in asked
    )


def _roots(given: Json) -> Iterator[str]:
    """Return the roots in the order of placement's answer."""
    for request in given["allocation_requests"]:
        for provider in request["allocations"]:
            yield given["provider_summaries"][provider]["root_provider_uuid"]


def _candidate(root: str, tree: Sequence[Json]) -> Candidate:
    capacity: dict[str, int] = defaultdict(int)
    used: dict[str, int] = defaultdict(int)
    for summary in tree:
        for name, one in summary["resources"].items():
            capacity[name] += one["capacity"]
            used[name] += one["used"]
    traits = frozenset(text(trait) for summary in tree for trait in _listed(summary["traits"]))
    return Candidate(
        provider=root, name="", capacity=dict(capacity), used=dict(used), traits=traits
    )

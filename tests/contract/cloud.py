"""What every `Cloud` promises: asked of the fake here, of the adapter on the lab (tests/lab)."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from fakes.world import Connected
from stackward.errors import Refused, StackwardError, StepFailed, Uncertain
from stackward.facts.needs import need_of
from stackward.model.hypervisor import Hypervisor
from stackward.model.server import Server
from stackward.model.service import ComputeService

TRAIT = "COMPUTE_STATUS_DISABLED"


@dataclass(frozen=True)
class CloudAtWork:
    """A cloud with a server that runs and one that is stopped, both on one of three hosts."""

    cloud: Connected
    running: str
    stopped: str
    wait_until: Callable[[Callable[[], bool]], None]
    leave_binding: Callable[[str, str], None]  # of a port, on a host where its server is not
    leave_port: Callable[[str], str]  # that names a server which is not there; returns its id

    def server(self, server: str) -> Server:
        """Return a server that is there."""
        found = self.cloud.nova.server(server)
        assert found is not None
        return found

    @property
    def host(self) -> str:
        """Where the running server is now."""
        return str(self.server(self.running).host)

    @property
    def service(self) -> ComputeService:
        """The compute service of that host."""
        [service] = [
            each
            for each in self.cloud.nova.services()
            if (each.host, each.binary) == (self.host, "nova-compute")
        ]
        return service

    def hypervisor(self, host: str) -> Hypervisor:
        """Return the hypervisor of a host."""
        [found] = [each for each in self.cloud.nova.hypervisors_like(host) if each.host == host]
        return found


def is_written(cloud: Connected, server: str, event: str) -> bool:
    """Say whether the event of that name of the server's newest action has begun and ended."""
    nova = cloud.nova
    newest = nova.actions_of(server)[0]
    found = [one for one in nova.action_events(server, newest.request_id) if one.name == event]
    return bool(found) and all(one.finished and one.started <= one.finished for one in found)


class CloudContract:
    """Tests; a subclass gives the fixture `at_work`."""

    # --- reading ---

    def test_what_is_not_there_is_none_or_nothing(self, at_work: CloudAtWork) -> None:
        cloud, nobody = at_work.cloud, str(uuid4())

        assert cloud.nova.server(nobody) is None
        assert cloud.cinder.volume(nobody) is None
        assert cloud.nova.server_group(nobody) is None
        assert cloud.placement.allocations_of(nobody) == frozenset()
        assert cloud.nova.migrations_of_server(nobody) == ()
        assert cloud.nova.hypervisors_like("no-such-host") == ()
        assert cloud.nova.servers_on("no-such-host") == ()
        assert cloud.neutron.ports_of([nobody]) == ()
        assert cloud.neutron.bindings_of(nobody) == ()
        assert cloud.neutron.port(nobody) is None
        assert cloud.nova.actions_of(nobody) == ()
        assert not cloud.has_service("no-such-service")
        assert cloud.user()  # by whom all of this is asked
        assert cloud.keystone.projects_called(nobody) == ()
        assert cloud.nova.servers_called(nobody) == ()
        assert cloud.cinder.attachments_of(nobody) == ()
        assert cloud.cinder.every_attachment(nobody) == ()
        assert cloud.nova.attached_to(nobody) == ()
        assert cloud.nova.console(nobody, 10) is None
        assert cloud.keystone.tags_of(nobody) == ()

    def test_a_server_that_runs_and_one_that_is_stopped(self, at_work: CloudAtWork) -> None:
        states = [
            (each.status, each.vm_state, each.power_state, each.task_state)
            for each in map(at_work.server, (at_work.running, at_work.stopped))
        ]

        assert states == [("ACTIVE", "active", 1, None), ("SHUTOFF", "stopped", 4, None)]

    def test_the_servers_of_a_host_are_listed_without_what_takes_more_calls(
        self, at_work: CloudAtWork
    ) -> None:
        here = {each.id: each for each in at_work.cloud.nova.servers_on(at_work.host)}

        assert here[at_work.running].host == at_work.host
        assert {(each.ports, each.group) for each in here.values()} == {((), None)}

    def test_a_host_that_works_is_up_and_enabled(self, at_work: CloudAtWork) -> None:
        service = at_work.service

        assert (service.is_up, service.is_enabled, service.disabled_reason) == (True, True, None)

    def test_placement_knows_the_host_by_its_hypervisor(self, at_work: CloudAtWork) -> None:
        hypervisor = at_work.hypervisor(at_work.host)

        provider = at_work.cloud.placement.provider(hypervisor.id)

        assert at_work.running in provider.allocations
        assert at_work.cloud.placement.allocations_of(at_work.running) == {hypervisor.id}
        assert at_work.cloud.placement.provider_names()[hypervisor.id] == hypervisor.name
        assert at_work.cloud.placement.provider_roots()[hypervisor.id] == hypervisor.id

    def test_a_port_is_bound_where_its_server_is(self, at_work: CloudAtWork) -> None:
        [port] = at_work.cloud.neutron.ports_of([at_work.running])

        assert (port.server, port.host) == (at_work.running, at_work.host)
        assert at_work.cloud.neutron.bindings_of(port.id) == ((at_work.host, "ACTIVE"),)
        every = {one.id: one for one in at_work.cloud.neutron.every_port()}
        assert (every[port.id].server, every[port.id].host) == (at_work.running, at_work.host)
        agents = [one for one in at_work.cloud.neutron.every_agent() if one.host == at_work.host]
        assert len(agents) == len(at_work.cloud.neutron.network_agents_on(at_work.host))

    def test_the_lists_of_all_have_what_is_asked_of_one(self, at_work: CloudAtWork) -> None:
        cloud, server = at_work.cloud, at_work.server(at_work.running)
        provider = at_work.hypervisor(at_work.host).id

        listed = {one.id: one for one in cloud.nova.every_server()}
        [port] = [one for one in cloud.neutron.ports_on(at_work.host) if one.server == server.id]

        assert listed[server.id].host == server.host
        assert at_work.stopped in listed
        assert cloud.placement.allocations_on(provider) == (
            cloud.placement.provider(provider).allocations
        )
        assert (port.host, port.is_wanted_up) == (at_work.host, True)
        assert {one.server for one in cloud.nova.migrations_in("accepted")} <= set(listed)
        volumes = {one.id for one in cloud.cinder.every_volume()}
        assert {one.volume for one in cloud.cinder.every_attachment()} <= volumes

    def test_a_project_is_found_by_its_id_and_by_its_name(self, at_work: CloudAtWork) -> None:
        owner = at_work.server(at_work.running).project

        [project] = at_work.cloud.keystone.projects_called(owner)

        assert project.id == owner
        assert project in at_work.cloud.keystone.projects_called(project.name)

    def test_a_project_without_tags_has_none(self, at_work: CloudAtWork) -> None:
        owner = at_work.server(at_work.running).project

        assert at_work.cloud.keystone.tags_of(owner) == ()

    def test_the_console_of_a_guest_that_runs_is_read_and_none_of_one_that_is_off(
        self, at_work: CloudAtWork
    ) -> None:
        nova = at_work.cloud.nova

        # Nova counts what is behind the last line's end as a line too.
        assert len((nova.console(at_work.running, 2) or "").splitlines()) in {1, 2}
        assert nova.console(at_work.stopped, 2) is None

    def test_a_server_is_found_by_its_id_and_by_its_name_in_all_projects(
        self, at_work: CloudAtWork
    ) -> None:
        wanted = at_work.server(at_work.running)

        by_id = at_work.cloud.nova.servers_called(wanted.id)
        by_name = at_work.cloud.nova.servers_called(wanted.name)

        assert [each.id for each in by_id] == [wanted.id]
        assert wanted.id in {each.id for each in by_name}
        assert {each.name for each in by_name} == {wanted.name}
        assert at_work.cloud.nova.servers_called(wanted.name[:-1]) == ()
        assert at_work.cloud.nova.servers_called(".*") == ()

    def test_no_more_candidates_are_given_than_asked_for(self, at_work: CloudAtWork) -> None:
        need = need_of(at_work.server(at_work.running))

        every = at_work.cloud.placement.candidates(need, member_of=(), limit=100)
        one = at_work.cloud.placement.candidates(need, member_of=(), limit=1)

        assert {each.provider for each in every} <= set(at_work.cloud.placement.provider_names())
        assert (len(every) > 1, len(one)) == (True, 1)

    # --- refusing ---

    def test_what_a_server_is_in_no_state_for_is_uncertain_and_changes_nothing(
        self, at_work: CloudAtWork
    ) -> None:
        before = at_work.server(at_work.stopped)

        with pytest.raises(Uncertain):
            at_work.cloud.nova.live_migrate(at_work.stopped, None)
        with pytest.raises(Uncertain):
            at_work.cloud.nova.confirm_resize(at_work.stopped)
        with pytest.raises(Uncertain):
            at_work.cloud.nova.stop_server(at_work.stopped)
        with pytest.raises(Uncertain):
            at_work.cloud.nova.start_server(at_work.running)
        with pytest.raises(Uncertain):
            at_work.cloud.nova.reboot_server(at_work.stopped, is_hard=False)

        after = at_work.server(at_work.stopped)
        assert (after.status, after.task_state, after.host) == ("SHUTOFF", None, before.host)

    def test_a_server_of_a_node_that_is_up_is_not_evacuated(self, at_work: CloudAtWork) -> None:
        cloud, server, host = at_work.cloud, at_work.running, at_work.host
        records = cloud.nova.migrations_of_server(server)
        other = next(
            each.host
            for each in cloud.nova.services()
            if each.binary == "nova-compute" and each.host != host
        )

        with pytest.raises((StepFailed, Refused)):  # one before 2.95 is not even asked
            cloud.nova.evacuate(server, other)

        after = at_work.server(server)
        assert (after.status, after.task_state, after.host) == ("ACTIVE", None, host)
        assert cloud.nova.migrations_of_server(server) == records

    # --- changing ---

    def test_a_node_that_is_forced_down_is_called_up_again(self, at_work: CloudAtWork) -> None:
        nova = at_work.cloud.nova
        services = [one for one in nova.services() if one.binary == "nova-compute"]
        other = next(one for one in services if one.host != at_work.host)

        nova.force_down(other.id)
        down = next(one for one in nova.services() if one.id == other.id)
        nova.force_up(other.id)
        up = next(one for one in nova.services() if one.id == other.id)

        assert (down.is_forced_down, down.is_up) == (True, False)
        assert (up.is_forced_down, up.is_up) == (False, True)

    def test_a_state_that_is_reset_is_active_and_nothing_is_done_to_the_guest(
        self, at_work: CloudAtWork
    ) -> None:
        cloud, server = at_work.cloud, at_work.running
        earlier = cloud.nova.actions_of(server)

        cloud.nova.reset_state(server)

        now = at_work.server(server)
        assert (now.status, now.task_state, now.power_state) == ("ACTIVE", None, 1)
        [action, *before] = cloud.nova.actions_of(server)
        assert (action.action, tuple(before)) == ("resetState", earlier)

    def test_what_a_consumer_holds_is_kept_only_as_it_was_read(self, at_work: CloudAtWork) -> None:
        placement, server = at_work.cloud.placement, at_work.running
        account = placement.account_of(server)
        assert account is not None

        placement.keep_allocations(account, [*account.allocations])
        again = placement.account_of(server)
        with pytest.raises(Uncertain):
            placement.keep_allocations(account, [])  # it has another generation by now

        assert again is not None
        assert again.generation != account.generation
        assert again.allocations == account.allocations
        assert placement.account_of(server) == again
        assert placement.account_of(str(uuid4())) is None

    def test_an_attachment_that_is_not_there_is_not_removed(self, at_work: CloudAtWork) -> None:
        with pytest.raises(StackwardError, match="404"):
            at_work.cloud.cinder.remove_attachment(str(uuid4()))

    def test_a_volume_that_is_not_there_is_not_changed(self, at_work: CloudAtWork) -> None:
        cloud, nobody = at_work.cloud, str(uuid4())

        for change in (cloud.cinder.unreserve, cloud.cinder.roll_detaching):
            with pytest.raises(StackwardError, match="404"):
                change(nobody)
        with pytest.raises(StackwardError):
            cloud.nova.detach_volume(at_work.running, nobody)

    def test_a_binding_that_a_move_has_left_is_removed_and_no_other(
        self, at_work: CloudAtWork
    ) -> None:
        cloud = at_work.cloud
        [port] = cloud.neutron.ports_of([at_work.running])
        here = at_work.host
        other = next(
            each.host
            for each in cloud.nova.services()
            if each.binary == "nova-compute" and each.host != here
        )

        at_work.leave_binding(port.id, other)
        left = cloud.neutron.bindings_of(port.id)
        on_other = [one for one in cloud.neutron.ports_on(other) if one.id == port.id]
        cloud.neutron.remove_binding(port.id, other)

        assert set(left) == {(here, "ACTIVE"), (other, "INACTIVE")}
        assert [one.host for one in on_other] == [here]  # where it is active
        assert cloud.neutron.bindings_of(port.id) == ((here, "ACTIVE"),)

    def test_a_port_of_a_server_that_is_gone_is_deleted_once(self, at_work: CloudAtWork) -> None:
        neutron, nobody = at_work.cloud.neutron, str(uuid4())

        port = at_work.leave_port(nobody)
        left = neutron.port(port)
        listed = {one.id: one for one in neutron.every_port()}
        neutron.delete_port(port)

        assert left is not None
        assert (left.id, left.server, listed[port]) == (port, nobody, left)
        assert neutron.port(port) is None
        with pytest.raises(StackwardError, match="404"):
            neutron.delete_port(port)

    def test_a_service_or_an_agent_that_is_not_there_is_not_deleted(
        self, at_work: CloudAtWork
    ) -> None:
        cloud, nobody = at_work.cloud, str(uuid4())

        for change in (cloud.nova.delete_service, cloud.neutron.delete_agent):
            with pytest.raises(StackwardError, match="404"):
                change(nobody)

    def test_the_service_of_a_host_that_has_servers_is_not_deleted(
        self, at_work: CloudAtWork
    ) -> None:
        before = at_work.service

        with pytest.raises(Uncertain):
            at_work.cloud.nova.delete_service(before.id)

        assert at_work.service.id == before.id
        assert at_work.hypervisor(at_work.host).id in at_work.cloud.placement.provider_names()

    def test_a_disabled_service_says_why_and_is_offered_no_servers(
        self, at_work: CloudAtWork
    ) -> None:
        cloud, service = at_work.cloud, at_work.service
        provider = at_work.hypervisor(at_work.host).id
        need = need_of(at_work.server(at_work.running))

        def is_offered() -> bool:
            offered = cloud.placement.candidates(need, member_of=(), limit=100)
            return provider in {each.provider for each in offered}

        cloud.nova.disable_service(service.id, "a test of the contract")
        at_work.wait_until(lambda: TRAIT in cloud.placement.provider(provider).traits)
        disabled, was_offered = at_work.service, is_offered()
        cloud.nova.enable_service(service.id)
        at_work.wait_until(lambda: TRAIT not in cloud.placement.provider(provider).traits)

        assert (disabled.is_enabled, disabled.disabled_reason) == (False, "a test of the contract")
        assert (was_offered, is_offered()) == (False, True)
        assert at_work.service.is_enabled

    def test_what_was_stopped_and_started_is_told_with_its_times(
        self, at_work: CloudAtWork
    ) -> None:
        cloud, server, host = at_work.cloud, at_work.running, at_work.host

        cloud.nova.stop_server(server)
        at_work.wait_until(lambda: at_work.server(server).status == "SHUTOFF")
        off = at_work.server(server)
        at_work.wait_until(lambda: is_written(cloud, server, "compute_stop_instance"))
        cloud.nova.start_server(server)
        at_work.wait_until(lambda: at_work.server(server).status == "ACTIVE")
        on = at_work.server(server)
        at_work.wait_until(lambda: is_written(cloud, server, "compute_start_instance"))

        assert [each.action for each in cloud.nova.actions_of(server)][:2] == ["start", "stop"]
        assert (off.vm_state, off.power_state, off.task_state) == ("stopped", 4, None)
        assert (on.vm_state, on.power_state, on.task_state) == ("active", 1, None)
        assert on.host == off.host == host
        assert cloud.nova.action_events(server, "req-of-nobody") == ()

    @pytest.mark.parametrize("is_hard", [False, True], ids=["soft", "hard"])
    def test_a_reboot_is_one_action_and_refused_a_second_time_meanwhile(
        self, at_work: CloudAtWork, *, is_hard: bool
    ) -> None:
        cloud, server = at_work.cloud, at_work.running
        earlier, host = cloud.nova.actions_of(server), at_work.host

        cloud.nova.reboot_server(server, is_hard=is_hard)
        with pytest.raises(Uncertain):
            cloud.nova.reboot_server(server, is_hard=False)
        at_work.wait_until(lambda: at_work.server(server).task_state is None)

        now = at_work.server(server)
        assert (now.status, now.power_state, now.host) == ("ACTIVE", 1, host)
        [action, *before] = cloud.nova.actions_of(server)
        assert (action.action, tuple(before)) == ("reboot", earlier)

    def test_a_live_migration_is_recorded_and_refused_a_second_time_meanwhile(
        self, at_work: CloudAtWork
    ) -> None:
        cloud, server, source = at_work.cloud, at_work.running, at_work.host
        records, actions = cloud.nova.migrations_of_server(server), cloud.nova.actions_of(server)

        cloud.nova.live_migrate(server, None)
        with pytest.raises(Uncertain):
            cloud.nova.live_migrate(server, None)
        at_work.wait_until(lambda: at_work.server(server).task_state is None)
        at_work.wait_until(lambda: cloud.nova.migrations_of_server(server)[0].status == "completed")

        [record, *older] = cloud.nova.migrations_of_server(server)
        [action, *earlier] = cloud.nova.actions_of(server)
        assert (tuple(older), tuple(earlier)) == (records, actions)
        assert (record.kind, record.source, record.target) == (
            "live-migration",
            source,
            at_work.host,
        )
        assert (action.action, at_work.host != source) == ("live-migration", True)
        assert cloud.placement.allocations_of(server) == {at_work.hypervisor(at_work.host).id}

    def test_a_cold_migration_waits_for_its_confirmation(self, at_work: CloudAtWork) -> None:
        cloud, server = at_work.cloud, at_work.stopped
        source = at_work.server(server).host

        cloud.nova.cold_migrate(server, None)
        at_work.wait_until(lambda: at_work.server(server).status == "VERIFY_RESIZE")
        [waiting, *_] = cloud.nova.migrations_of_server(server)
        cloud.nova.confirm_resize(server)
        at_work.wait_until(lambda: at_work.server(server).status == "SHUTOFF")

        [record, *_] = cloud.nova.migrations_of_server(server)
        assert (waiting.id, waiting.status) == (record.id, "finished")
        assert (record.kind, record.status, record.source) == ("migration", "confirmed", source)
        assert at_work.server(server).host == record.target != source
        [confirmed, migrated, *_] = cloud.nova.actions_of(server)
        events = {each.name for each in cloud.nova.action_events(server, migrated.request_id)}
        assert (confirmed.action, migrated.action) == ("confirmResize", "migrate")
        assert {"compute_resize_instance", "compute_finish_resize"} <= events

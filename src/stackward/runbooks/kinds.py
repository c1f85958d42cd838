"""Every kind of step, check and request that a stored plan may hold."""

from stackward.checks import compute as checks
from stackward.checks import instance_ha as ha_checks
from stackward.checks import service as service_checks
from stackward.plan import Kinds
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.return_compute_node import ReturnRequest
from stackward.requests.undo_run import UndoRequest
from stackward.steps import acceptance, instance_ha, network, power, service
from stackward.steps import compute as moves

KINDS = Kinds.of(
    requests=[DrainRequest, ReturnRequest, BringBackRequest, UndoRequest],
    steps=[
        instance_ha.TellInstanceHa,
        network.RemoveBinding,
        service.Cordon,
        service.KeepOff,
        service.BringUp,
        service.Uncordon,
        acceptance.BootAcceptance,
        acceptance.RemoveAcceptance,
        moves.LiveMigrate,
        moves.ColdMigrate,
        moves.ConfirmMigration,
        moves.ForceComplete,
        moves.AbortMigration,
        power.StopServer,
        power.StartServer,
    ],
    checks=[
        checks.NoServersOn,
        checks.AreOn,
        checks.NoArrivals,
        checks.IsCordoned,
        checks.NoAllocations,
        checks.NoDomains,
        checks.NoInstanceDirs,
        ha_checks.InstanceHaKnows,
        service_checks.ServesRpc,
        service_checks.IsUp,
        service_checks.IsKeptOff,
        service_checks.LibvirtAnswers,
        service_checks.HasInventory,
        service_checks.NetworkAgentsAlive,
        service_checks.InService,
        service_checks.NoAcceptanceServer,
    ],
)

"""Every kind of step, check and request that a stored plan may hold."""

from stackward.checks import compute as checks
from stackward.plan import Kinds
from stackward.runbooks.drain_compute_node import DrainRequest
from stackward.steps import compute as moves
from stackward.steps import service

KINDS = Kinds.of(
    requests=[DrainRequest],
    steps=[
        service.Cordon,
        service.KeepOff,
        moves.LiveMigrate,
        moves.ColdMigrate,
        moves.ConfirmMigration,
        moves.ForceComplete,
        moves.AbortMigration,
    ],
    checks=[
        checks.NoServersOn,
        checks.NoArrivals,
        checks.IsCordoned,
        checks.NoAllocations,
        checks.NoDomains,
        checks.NoInstanceDirs,
    ],
)

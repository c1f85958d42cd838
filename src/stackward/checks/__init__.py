"""VERIFY: one question each, asked before and after.

A check is found by its kind, and its module imported only then.
"""

from stackward.plan.kinds import ByKind

KINDS = ByKind(
    __name__,
    {
        "no-servers-on": "compute.NoServersOn",
        "are-on": "compute.AreOn",
        "allocated-where-they-are": "agreement.AllocatedWhereTheyAre",
        "bound-once": "agreement.BoundOnce",
        "guest-ended": "agreement.GuestEnded",
        "hold-nothing": "agreement.HoldNothing",
        "ports-gone": "left_behind.PortsGone",
        "attachments-gone": "left_behind.AttachmentsGone",
        "services-gone": "left_behind.ServicesGone",
        "agents-gone": "left_behind.AgentsGone",
        "all-run": "server.AllRun",
        "no-arrivals": "compute.NoArrivals",
        "is-cordoned": "compute.IsCordoned",
        "no-allocations": "compute.NoAllocations",
        "no-domains": "compute.NoDomains",
        "no-instance-dirs": "compute.NoInstanceDirs",
        "instance-ha-knows": "instance_ha.InstanceHaKnows",
        "evacuations-settled": "evacuations.EvacuationsSettled",
        "gate-stands": "boot_gate.GateStands",
        "is-confirmed-off": "node_power.IsConfirmedOff",
        "is-its-device": "node_power.IsItsDevice",
        "is-powered-off": "node_power.IsPoweredOff",
        "log-is-readable": "service.LogIsReadable",
        "nothing-runs": "node_reboot.NothingRuns",
        "runs-chosen-kernel": "node_reboot.RunsChosenKernel",
        "node-is-well": "node_health.NodeIsWell",
        "no-sign-of-life": "node_power.NoSignOfLife",
        "one-guest-each": "server.OneGuestEach",
        "run-elsewhere": "server.RunElsewhere",
        "runs-anew": "server.RunsAnew",
        "volumes-agree": "volumes.VolumesAgree",
        "serves-rpc": "service.ServesRpc",
        "is-kept-off": "service.IsKeptOff",
        "is-up": "service.IsUp",
        "libvirt-answers": "service.LibvirtAnswers",
        "has-inventory": "service.HasInventory",
        "network-agents-alive": "service.NetworkAgentsAlive",
        "in-service": "service.InService",
        "no-acceptance-server": "service.NoAcceptanceServer",
    },
)

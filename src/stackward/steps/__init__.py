"""CHANGE: one small repeatable verb per class. The only room that changes things.

A step is found by its kind, and its module imported only then.
"""

from stackward.plan.kinds import ByKind

KINDS = ByKind(
    __name__,
    {
        "boot-acceptance": "acceptance.BootAcceptance",
        "remove-acceptance": "acceptance.RemoveAcceptance",
        "carry-out-run": "chain.CarryOutRun",
        "live-migrate": "compute.LiveMigrate",
        "cold-migrate": "compute.ColdMigrate",
        "confirm-migration": "compute.ConfirmMigration",
        "evacuate": "evacuation.Evacuate",
        "force-down": "evacuation.ForceDown",
        "reset-state": "evacuation.ResetState",
        "force-complete": "compute.ForceComplete",
        "abort-migration": "compute.AbortMigration",
        "tell-instance-ha": "instance_ha.TellInstanceHa",
        "remove-attachments": "evacuation.RemoveAttachments",
        "kill-domain": "stale_guest.KillDomain",
        "remove-allocations": "allocations.RemoveAllocations",
        "remove-binding": "network.RemoveBinding",
        "install-gate": "boot_gate.InstallGate",
        "remove-gate": "boot_gate.RemoveGate",
        "open-gate": "boot_gate.OpenGate",
        "power-off": "node_power.PowerOff",
        "try-keep-off": "node_power.TryKeepOff",
        "reboot-server": "server_power.RebootServer",
        "stop-server": "server_power.StopServer",
        "start-server": "server_power.StartServer",
        "start-evacuated": "evacuation.StartEvacuated",
        "list-who-runs": "node_reboot.ListWhoRuns",
        "reboot-node": "node_reboot.RebootNode",
        "start-again": "node_reboot.StartAgain",
        "stop-for-reboot": "node_reboot.StopForReboot",
        "await-compute": "awaiting.AwaitCompute",
        "bring-up-server": "bringing_up.BringUpServer",
        "power-on": "node_power.PowerOn",
        "fence-old-guests": "old_copies.FenceOldGuests",
        "stop-for-records": "old_copies.StopForRecords",
        "force-up": "service.ForceUp",
        "cordon": "service.Cordon",
        "keep-off": "service.KeepOff",
        "bring-up": "service.BringUp",
        "uncordon": "service.Uncordon",
    },
)

BEGIN TRANSACTION;
CREATE TABLE attempts (
	run_id VARCHAR NOT NULL, 
	step VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	mark TEXT NOT NULL, 
	intended_at VARCHAR NOT NULL, 
	answered_at VARCHAR, 
	settled_at VARCHAR, 
	settled VARCHAR, 
	said TEXT NOT NULL, 
	saw TEXT NOT NULL, 
	PRIMARY KEY (run_id, step, number), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "attempts" VALUES('01KDVDNA00ZFFW','cordon/compute-07/0',1,1,'{"is_enabled":true,"reason":null}','2026-01-01T00:00:00.000000+00:00','2026-01-01T00:00:00.000000+00:00','2026-01-01T00:00:01.000000+00:00','done','{"request_id":"req-disable-compute-07"}','{"disabled_reason":"stackward 01KDVDNA00ZFFW by root on vm since 2026-01-01T00:00:00Z: bad DIMM"}');
INSERT INTO "attempts" VALUES('01KDVDNA00ZFFW','move/47baef29-c69f-57fe-b480-9ed5dc8f2929/0',1,1,'{"migration":0,"requests":[],"vm_state":"active","power_state":1}','2026-01-01T00:00:01.000000+00:00','2026-01-01T00:00:01.000000+00:00','2026-01-01T00:00:02.000000+00:00','done','{"request_id":"req-1"}','{"target":"compute-08","host":"holds","task":"holds","vm_state":"holds","power_state":"holds","volumes":"not applicable","port 8fa79191-075d-55fd-8047-9760ededda3a":"holds","allocations":"holds","domain on the target":"holds","no domain on the source":"holds","no directory on the source":"holds"}');
CREATE TABLE events (
	number INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	epoch INTEGER NOT NULL, 
	what VARCHAR NOT NULL, 
	thing TEXT NOT NULL, 
	step VARCHAR NOT NULL, 
	says TEXT NOT NULL, 
	PRIMARY KEY (number), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "events" VALUES(1,'01KDVDNA00ZFFW','2026-01-01T00:00:00.000000+00:00',0,'approved','','','{"by":"root","how":"--yes"}');
INSERT INTO "events" VALUES(2,'01KDVDNA00ZFFW','2026-01-01T00:00:00.000000+00:00',1,'taken up','','','{"worker":"vm:32687"}');
INSERT INTO "events" VALUES(3,'01KDVDNA00ZFFW','2026-01-01T00:00:00.000000+00:00',1,'intended','','cordon/compute-07/0','{"attempt":1,"mark":{"is_enabled":true,"reason":null}}');
INSERT INTO "events" VALUES(4,'01KDVDNA00ZFFW','2026-01-01T00:00:00.000000+00:00',1,'answered','','cordon/compute-07/0','{"attempt":1,"request":"req-disable-compute-07"}');
INSERT INTO "events" VALUES(5,'01KDVDNA00ZFFW','2026-01-01T00:00:01.000000+00:00',1,'settled: done','','cordon/compute-07/0','{"attempt":1,"request":"req-disable-compute-07","saw":{"disabled_reason":"stackward 01KDVDNA00ZFFW by root on vm since 2026-01-01T00:00:00Z: bad DIMM"}}');
INSERT INTO "events" VALUES(6,'01KDVDNA00ZFFW','2026-01-01T00:00:01.000000+00:00',1,'intended','','move/47baef29-c69f-57fe-b480-9ed5dc8f2929/0','{"attempt":1,"mark":{"migration":0,"requests":[],"vm_state":"active","power_state":1}}');
INSERT INTO "events" VALUES(7,'01KDVDNA00ZFFW','2026-01-01T00:00:01.000000+00:00',1,'answered','','move/47baef29-c69f-57fe-b480-9ed5dc8f2929/0','{"attempt":1,"request":"req-1"}');
INSERT INTO "events" VALUES(8,'01KDVDNA00ZFFW','2026-01-01T00:00:02.000000+00:00',1,'settled: done','','move/47baef29-c69f-57fe-b480-9ed5dc8f2929/0','{"attempt":1,"request":"req-1","saw":{"target":"compute-08","host":"holds","task":"holds","vm_state":"holds","power_state":"holds","volumes":"not applicable","port 8fa79191-075d-55fd-8047-9760ededda3a":"holds","allocations":"holds","domain on the target":"holds","no domain on the source":"holds","no directory on the source":"holds"}}');
INSERT INTO "events" VALUES(9,'01KDVDNA00ZFFW','2026-01-01T00:00:02.000000+00:00',1,'stopped','','','{"reason":"interrupted: 1 not begun in stage `move`"}');
CREATE TABLE holds (
	cloud VARCHAR NOT NULL, 
	node VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	PRIMARY KEY (cloud, node), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
CREATE TABLE journal_version (
	version INTEGER NOT NULL
);
INSERT INTO "journal_version" VALUES(6);
CREATE TABLE observations (
	cloud VARCHAR NOT NULL, 
	node VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	value TEXT NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (cloud, node, subject, source)
);
INSERT INTO "observations" VALUES('nova of http://ctl:5000 RegionOne','compute-07','names','node','{"names":["compute-07"],"configured":null,"host":"compute-07","address":"compute-07"}','2026-01-01T00:00:00.000000+00:00');
CREATE TABLE runs (
	id VARCHAR NOT NULL, 
	title TEXT NOT NULL, 
	"plan" TEXT NOT NULL, 
	approval TEXT NOT NULL, 
	holds TEXT NOT NULL, 
	state VARCHAR NOT NULL, 
	epoch INTEGER NOT NULL, 
	worker VARCHAR, 
	beat_at VARCHAR, 
	began_at VARCHAR, 
	ended_at VARCHAR, 
	ending TEXT NOT NULL, 
	cancel_asked_by VARCHAR, 
	progress TEXT NOT NULL, 
	for_workers BOOLEAN DEFAULT 0 NOT NULL, 
	deaths INTEGER DEFAULT '0' NOT NULL, 
	cloud VARCHAR, 
	due_at VARCHAR, 
	due_by VARCHAR, 
	until VARCHAR, 
	turn_asked TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('01KDVDNA00ZFFW','drain `compute-07`','{
 "format": 1,
 "title": "drain `compute-07`",
 "request": {
  "kind": "drain-compute-node",
  "node": "compute-07",
  "reason": "bad DIMM",
  "allow_downtime": false,
  "leave_behind": [],
  "consents": [],
  "at_once": 1,
  "slow_after_s": 1800.0,
  "when_slow": "wait",
  "projects": [],
  "target": null,
  "keep_service": false,
  "with_mask": true
 },
 "holds": [
  "compute-07"
 ],
 "decisions": {
  "cordon": "free",
  "room": "enough",
  "ends": "empty",
  "cloud": "nova of http://ctl:5000 RegionOne"
 },
 "facts": {
  "asked by": "root",
  "node": "compute-07",
  "host": "compute-07",
  "zone": "nova",
  "read at": "2026-01-01T00:00:00+00:00",
  "hypervisor": "QEMU",
  "servers": 2,
  "of other projects": 0,
  "moves": 2,
  "blocked": 0,
  "usage": "",
  "roles": [],
  "cloud": "http://ctl:5000 RegionOne"
 },
 "notices": [
  "running on while they move, with a stall at the end: 1 server",
  "off, and not to be started while they move: 1 server",
  "no new server is placed on `compute-07` from the cordon on"
 ],
 "blockers": [],
 "warnings": [
  {
   "thing": "db-01",
   "reason": "has 0 bytes on a disk of this node: it is copied over the network",
   "remedy": "",
   "thing_id": "47baef29-c69f-57fe-b480-9ed5dc8f2929",
   "worry": "disk-copied"
  },
  {
   "thing": "db-02",
   "reason": "has 0 bytes on a disk of this node: it is copied over the network",
   "remedy": "",
   "thing_id": "d8a10b06-37f8-58d0-af2e-61286d1ddfd3",
   "worry": "disk-copied"
  }
 ],
 "stages": [
  {
   "name": "cordon",
   "at_once": 1,
   "goes_on": false,
   "catches_up": false,
   "needs": [],
   "moves": [
    {
     "thing": "compute-07",
     "thing_id": "",
     "how": "cordon",
     "slow_after_s": null,
     "expects": {},
     "record": "",
     "steps": [
      {
       "kind": "cordon",
       "host": "compute-07",
       "provider": "6fd5996b-64fd-53e1-b8f6-60fbaba6c28f",
       "reason": "bad DIMM",
       "over": null,
       "replaces": null
      }
     ],
     "on_slow": [],
     "instead": [],
     "on_failed": []
    }
   ]
  },
  {
   "name": "move",
   "at_once": 1,
   "goes_on": true,
   "catches_up": false,
   "needs": [
    {
     "kind": "is-cordoned",
     "host": "compute-07",
     "provider": "6fd5996b-64fd-53e1-b8f6-60fbaba6c28f"
    },
    {
     "kind": "no-arrivals",
     "host": "compute-07",
     "provider": "6fd5996b-64fd-53e1-b8f6-60fbaba6c28f",
     "left_over": []
    }
   ],
   "moves": [
    {
     "thing": "db-01",
     "thing_id": "47baef29-c69f-57fe-b480-9ed5dc8f2929",
     "how": "live",
     "slow_after_s": 1800.0,
     "expects": {
      "target": "compute-08",
      "provider": "ef531c31-e6d4-5340-9e58-9895f6acfa7b",
      "needs": {
       "MEMORY_MB": 2048,
       "VCPU": 1
      },
      "pinned": false,
      "bytes": 0,
      "wish": null,
      "instead": null,
      "consent": null,
      "gib": 2.0
     },
     "record": "",
     "steps": [
      {
       "kind": "live-migrate",
       "server": "47baef29-c69f-57fe-b480-9ed5dc8f2929",
       "name": "db-01",
       "source": "compute-07",
       "target": null,
       "shares_disks": false,
       "directories": [
        "/var/lib/nova/instances"
       ]
      }
     ],
     "on_slow": [],
     "instead": [],
     "on_failed": []
    },
    {
     "thing": "db-02",
     "thing_id": "d8a10b06-37f8-58d0-af2e-61286d1ddfd3",
     "how": "cold",
     "slow_after_s": 1800.0,
     "expects": {
      "target": "compute-09",
      "provider": "43e8bce9-2a80-5eed-a1fa-dc84f02676d8",
      "needs": {
       "MEMORY_MB": 2048,
       "VCPU": 1
      },
      "pinned": false,
      "bytes": 0,
      "wish": null,
      "instead": null,
      "consent": null,
      "gib": 0.0
     },
     "record": "",
     "steps": [
      {
       "kind": "cold-migrate",
       "server": "d8a10b06-37f8-58d0-af2e-61286d1ddfd3",
       "name": "db-02",
       "source": "compute-07",
       "target": null
      },
      {
       "kind": "confirm-migration",
       "server": "d8a10b06-37f8-58d0-af2e-61286d1ddfd3",
       "name": "db-02",
       "source": "compute-07",
       "vm_state": "stopped",
       "power_state": 4,
       "shares_disks": false,
       "directories": [
        "/var/lib/nova/instances"
       ]
      }
     ],
     "on_slow": [],
     "instead": [],
     "on_failed": []
    }
   ]
  },
  {
   "name": "arrivals",
   "at_once": 1,
   "goes_on": true,
   "catches_up": true,
   "needs": [
    {
     "kind": "is-cordoned",
     "host": "compute-07",
     "provider": "6fd5996b-64fd-53e1-b8f6-60fbaba6c28f"
    },
    {
     "kind": "no-arrivals",
     "host": "compute-07",
     "provider": "6fd5996b-64fd-53e1-b8f6-60fbaba6c28f",
     "left_over": []
    }
   ],
   "moves": []
  },
  {
   "name": "keep off",
   "at_once": 1,
   "goes_on": false,
   "catches_up": false,
   "needs": [
    {
     "kind": "is-cordoned",
     "host": "compute-07",
     "provider": "6fd5996b-64fd-53e1-b8f6-60fbaba6c28f"
    },
    {
     "kind": "no-servers-on",
     "host": "compute-07",
     "except_for": [],
     "projects": []
    }
   ],
   "moves": [
    {
     "thing": "compute-07",
     "thing_id": "",
     "how": "keep off",
     "slow_after_s": null,
     "expects": {},
     "record": "",
     "steps": [
      {
       "kind": "keep-off",
       "node": "compute-07",
       "reason": "bad DIMM",
       "with_mask": true
      }
     ],
     "on_slow": [],
     "instead": [],
     "on_failed": []
    }
   ]
  }
 ],
 "verify": [
  {
   "kind": "no-servers-on",
   "host": "compute-07",
   "except_for": [],
   "projects": []
  },
  {
   "kind": "no-domains",
   "host": "compute-07",
   "node": "compute-07",
   "except_for": [],
   "projects": []
  },
  {
   "kind": "no-allocations",
   "host": "compute-07",
   "provider": "6fd5996b-64fd-53e1-b8f6-60fbaba6c28f",
   "except_for": [],
   "projects": []
  },
  {
   "kind": "no-instance-dirs",
   "host": "compute-07",
   "node": "compute-07",
   "is_shared": false,
   "other_directories": [],
   "except_for": [],
   "projects": []
  },
  {
   "kind": "is-cordoned",
   "host": "compute-07",
   "provider": "6fd5996b-64fd-53e1-b8f6-60fbaba6c28f"
  },
  {
   "kind": "is-kept-off",
   "node": "compute-07",
   "host": "compute-07"
  }
 ],
 "undoes": null
}
','{"by":"root","at":"2026-01-01T00:00:00.000000+00:00","how":"--yes"}','["compute-07"]','stopped',1,'vm:32687','2026-01-01T00:00:01.000000+00:00','2026-01-01T00:00:00.000000+00:00','2026-01-01T00:00:02.000000+00:00','{"reason":"interrupted: 1 not begun in stage `move`"}',NULL,'{}',0,0,'nova of http://ctl:5000 RegionOne',NULL,NULL,NULL,NULL);
CREATE TABLE workers (
	name VARCHAR NOT NULL, 
	life VARCHAR NOT NULL, 
	machine VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	since VARCHAR NOT NULL, 
	beats INTEGER NOT NULL, 
	beat_at VARCHAR NOT NULL, 
	cloud VARCHAR, 
	PRIMARY KEY (name)
);
CREATE INDEX ix_events_run_id ON events (run_id);
COMMIT;

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
INSERT INTO "attempts" VALUES('01M8AAAA','move/web-3/0',1,1,'{"newest":7}','2026-01-01T12:00:00.000000+00:00',NULL,NULL,NULL,'{}','{}');
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
INSERT INTO "events" VALUES(1,'01M8AAAA','2026-01-01T12:00:00.000000+00:00',0,'approved','','','{"by":"ann","how":"--yes"}');
INSERT INTO "events" VALUES(2,'01M8AAAA','2026-01-01T12:00:00.000000+00:00',1,'taken up','','','{"worker":"host:1"}');
INSERT INTO "events" VALUES(3,'01M8AAAA','2026-01-01T12:00:00.000000+00:00',1,'intended','','move/web-3/0','{"attempt":1,"mark":{"newest":7}}');
CREATE TABLE holds (
	node VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	PRIMARY KEY (node), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "holds" VALUES('c01','01M8AAAA');
CREATE TABLE journal_version (
	version INTEGER NOT NULL
);
INSERT INTO "journal_version" VALUES(1);
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
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('01M8AAAA','drain `c01`','{}','{"by":"ann","at":"2026-01-01T12:00:00.000000+00:00","how":"--yes"}','["c01"]','running',1,'host:1','2026-01-01T12:00:00.000000+00:00','2026-01-01T12:00:00.000000+00:00',NULL,'{}',NULL,'{}');
CREATE INDEX ix_events_run_id ON events (run_id);
COMMIT;

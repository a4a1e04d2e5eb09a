// Busy times: spans in UTC in which somebody has something else to do, known from their calendar.
CREATE CONSTRAINT busy_time_uid IF NOT EXISTS FOR (n:BusyTime) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX busy_time_changed IF NOT EXISTS FOR (n:BusyTime) ON (n.changed)
;
CREATE CONSTRAINT busy_uid IF NOT EXISTS FOR ()-[r:BUSY]-() REQUIRE r.uid IS UNIQUE

-- `passed_at` is when the source was last read to its end, by the own clock; what was read before an
-- absence is told from what piled up during one. `restored_at` is set when the ledger was put back from
-- a backup, until the source has been read to its end once.
ALTER TABLE route ADD COLUMN passed_at BIGINT;
ALTER TABLE route ADD COLUMN restored_at BIGINT;
UPDATE route SET passed_at = last_read_at
WHERE EXISTS (SELECT 1 FROM route_cursor WHERE route_cursor.route_id = route.id);

-- Posts that were skipped, or never recorded, and that their owner wants to have sent after all.
CREATE TABLE wanted (
    source TEXT NOT NULL,
    route_id INTEGER NOT NULL REFERENCES route (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (source, route_id)
);
CREATE INDEX wanted_by_route ON wanted (route_id, at);

-- To find what came to stand lately, and whose text has been kept long enough.
CREATE INDEX part_by_standing ON part (route_id, stands_since) WHERE stands_since IS NOT NULL;
CREATE INDEX part_by_text ON part (attempted_at)
    WHERE body IS NOT NULL AND state IN ('delivered', 'dropped', 'gone');

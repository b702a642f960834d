-- Posts that are not sent before the mirror of another post of their route, which they quote or repeat,
-- is published, fails, or does not come until `until`. `source` is the whole post as versioned JSON, to be
-- composed then; the row goes with the waiting.
CREATE TABLE awaited (
    post_id INTEGER NOT NULL PRIMARY KEY REFERENCES post (id),
    route_id INTEGER NOT NULL REFERENCES route (id),
    needs INTEGER NOT NULL REFERENCES post (id),
    until BIGINT NOT NULL,
    source TEXT
);
CREATE INDEX awaited_by_route ON awaited (route_id, post_id);

-- Times are whole microseconds since 1970-01-01T00:00:00Z, money is whole microdollars: both sort,
-- subtract and survive a round trip exactly, and are BIGINT in any other database. Days are
-- YYYY-MM-DD in UTC. Ids and addresses are opaque text. Nothing in here may be changed once a
-- version that wrote it has been released: add the next number instead.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row. `epoch` grows with every holder and fences the ones before; `commits` grows with every
-- writing transaction, so that a file that lost its last ones can be told.
CREATE TABLE lease (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    owner TEXT NOT NULL,
    epoch BIGINT NOT NULL CHECK (epoch >= 0),
    expires_at BIGINT NOT NULL,
    commits BIGINT NOT NULL CHECK (commits >= 0)
);

CREATE TABLE route (
    id INTEGER NOT NULL PRIMARY KEY,
    bridge TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('mastodon_to_x', 'x_to_mastodon')),
    last_read_at BIGINT,
    last_mirrored_at BIGINT,
    UNIQUE (bridge, direction)
);

-- Absent until the first pass; a cursor that points nowhere is not the same as none.
CREATE TABLE route_cursor (
    route_id INTEGER NOT NULL PRIMARY KEY REFERENCES route (id),
    post TEXT,
    at BIGINT,
    floor BIGINT
);

CREATE TABLE baseline (
    source TEXT NOT NULL,
    route_id INTEGER NOT NULL REFERENCES route (id),
    PRIMARY KEY (source, route_id)
);

-- The id counts posts in the order they were recorded. No text of a post is kept here.
-- `parent` is what it continues, in the source network's words; resolved when it was recorded to
-- `waits_for` (a post of this route whose mirror has to stand first) or to `answers` (an id on the
-- target network: the original of the mirror below which the thread went on).
CREATE TABLE post (
    id INTEGER NOT NULL PRIMARY KEY,
    route_id INTEGER NOT NULL REFERENCES route (id),
    source TEXT NOT NULL,
    source_url TEXT,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('mirror', 'skip', 'hold')),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    notes TEXT NOT NULL,
    parent TEXT,
    waits_for INTEGER REFERENCES post (id),
    answers TEXT,
    UNIQUE (route_id, source)
);
CREATE INDEX post_by_route ON post (route_id, id);
CREATE INDEX post_by_time ON post (route_id, created_at);
CREATE INDEX post_by_url ON post (source_url) WHERE source_url IS NOT NULL;

-- Every id under which a recorded post has been known, its first one included.
CREATE TABLE known_id (
    source TEXT NOT NULL,
    route_id INTEGER NOT NULL REFERENCES route (id),
    post_id INTEGER NOT NULL REFERENCES post (id),
    PRIMARY KEY (source, route_id)
);

-- `body` is the part as it will be sent, as versioned JSON. `route_id` repeats the post's, so that
-- one index leads to what is due.
CREATE TABLE part (
    post_id INTEGER NOT NULL REFERENCES post (id),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    route_id INTEGER NOT NULL REFERENCES route (id),
    state TEXT NOT NULL CHECK (
        state IN ('planned', 'attempting', 'in-doubt', 'delivered', 'held', 'failed', 'dropped')
    ),
    body TEXT,
    price BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    attempted_at BIGINT,
    body_hash TEXT,
    target_id TEXT,
    target_url TEXT,
    cost BIGINT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (post_id, idx),
    CHECK ((state = 'delivered') = (target_id IS NOT NULL))
);
CREATE INDEX part_by_state ON part (route_id, state, post_id, idx, not_before);
CREATE INDEX part_by_time ON part (route_id, not_before) WHERE state = 'planned';
CREATE INDEX part_by_target ON part (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX part_by_target_url ON part (target_url) WHERE target_url IS NOT NULL;

-- Every move of every part, never changed afterwards.
CREATE TABLE attempt_log (
    id INTEGER NOT NULL PRIMARY KEY,
    post_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    body_hash TEXT,
    detail TEXT NOT NULL,
    FOREIGN KEY (post_id, idx) REFERENCES part (post_id, idx)
);
CREATE INDEX attempt_log_by_part ON attempt_log (post_id, idx, id);

CREATE TABLE spend (
    route_id INTEGER NOT NULL REFERENCES route (id),
    day TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('read', 'delivery')),
    items BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    PRIMARY KEY (route_id, day, kind)
);

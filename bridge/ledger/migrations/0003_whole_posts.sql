-- What a post has besides its text, and what becomes of it later. `content` is a keyed digest of all
-- that a post shows, never the text, and `edited_at` the edit that it was taken at: together they tell
-- an edit that has not been dealt with. `pending` is an amendment, as versioned JSON, that waits for a
-- part that something is being done with. `gone_at` is when the author was seen to have deleted it.
ALTER TABLE post ADD COLUMN content TEXT;
ALTER TABLE post ADD COLUMN edited_at BIGINT;
ALTER TABLE post ADD COLUMN pending TEXT;
ALTER TABLE post ADD COLUMN gone_at BIGINT;
ALTER TABLE route ADD COLUMN rechecked_at BIGINT;

CREATE INDEX known_id_by_post ON known_id (post_id);

-- `stands_since` is the attempt by which it came to stand. `waiting_since` is when a medium was first
-- found missing. `aside` marks a reply that tells of an edit. A part that is gone keeps the name under
-- which it stood, so that it is never taken for news.
CREATE TABLE part_with_changes (
    post_id INTEGER NOT NULL REFERENCES post (id),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    route_id INTEGER NOT NULL REFERENCES route (id),
    state TEXT NOT NULL CHECK (
        state IN (
            'planned', 'attempting', 'in-doubt', 'delivered', 'held', 'failed', 'dropped',
            'outdated', 'revising', 'unwanted', 'deleting', 'gone'
        )
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
    stands_since BIGINT,
    waiting_since BIGINT,
    aside INTEGER NOT NULL DEFAULT 0 CHECK (aside IN (0, 1)),
    PRIMARY KEY (post_id, idx),
    CHECK (
        state = 'gone'
        OR (target_id IS NOT NULL)
        = (state IN ('delivered', 'outdated', 'revising', 'unwanted', 'deleting'))
    )
);
INSERT INTO part_with_changes
    (post_id, idx, route_id, state, body, price, not_before, attempts, attempted_at, body_hash,
     target_id, target_url, cost, detail, stands_since)
SELECT post_id, idx, route_id, state, body, price, not_before, attempts, attempted_at, body_hash,
       target_id, target_url, cost, detail,
       CASE WHEN state = 'delivered' THEN attempted_at END
FROM part;

-- The log refers to parts, so it moves with them.
CREATE TABLE attempt_log_with_changes (
    id INTEGER NOT NULL PRIMARY KEY,
    post_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    body_hash TEXT,
    detail TEXT NOT NULL,
    FOREIGN KEY (post_id, idx) REFERENCES part_with_changes (post_id, idx)
);
INSERT INTO attempt_log_with_changes (id, post_id, idx, at, event, state, body_hash, detail)
SELECT id, post_id, idx, at, event, state, body_hash, detail FROM attempt_log;
DROP TABLE attempt_log;
DROP TABLE part;
ALTER TABLE part_with_changes RENAME TO part;
ALTER TABLE attempt_log_with_changes RENAME TO attempt_log;
CREATE INDEX part_by_state ON part (route_id, state, post_id, idx, not_before);
CREATE INDEX part_by_time ON part (route_id, not_before) WHERE state = 'planned';
CREATE INDEX part_by_target ON part (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX part_by_target_url ON part (target_url) WHERE target_url IS NOT NULL;
CREATE INDEX attempt_log_by_part ON attempt_log (post_id, idx, id);

-- Names under which a part stood before it was edited.
CREATE TABLE former_target (
    target_id TEXT NOT NULL,
    target_url TEXT,
    post_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    PRIMARY KEY (target_id, post_id, idx),
    FOREIGN KEY (post_id, idx) REFERENCES part (post_id, idx)
);
CREATE INDEX former_target_by_url ON former_target (target_url) WHERE target_url IS NOT NULL;

-- What the target network has taken in for a part, so that it is not sent and paid for again. `what`
-- is a digest of which medium it is and what its alt text says.
CREATE TABLE upload (
    post_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    what TEXT NOT NULL,
    media_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT,
    attached INTEGER NOT NULL DEFAULT 0 CHECK (attached IN (0, 1)),
    cost BIGINT NOT NULL,
    PRIMARY KEY (post_id, idx, what),
    FOREIGN KEY (post_id, idx) REFERENCES part (post_id, idx)
);

CREATE TABLE spend_of_all_kinds (
    route_id INTEGER NOT NULL REFERENCES route (id),
    day TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('read', 'delivery', 'media', 'edit', 'deletion')),
    items BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    PRIMARY KEY (route_id, day, kind)
);
INSERT INTO spend_of_all_kinds (route_id, day, kind, items, cost)
SELECT route_id, day, kind, items, cost FROM spend;
DROP TABLE spend;
ALTER TABLE spend_of_all_kinds RENAME TO spend;

-- What money was spent on, told apart further: 'delivery' is what was sent before, of whatever kind,
-- and 'media' of before has its descriptions in it. Old rows stay as they are.
CREATE TABLE spend_by_kind (
    route_id INTEGER NOT NULL REFERENCES route (id),
    day TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (
        kind IN (
            'read', 'delivery', 'media', 'edit', 'deletion',
            'post', 'post_with_link', 'repost', 'alt_text'
        )
    ),
    items BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    PRIMARY KEY (route_id, day, kind)
);
INSERT INTO spend_by_kind (route_id, day, kind, items, cost)
SELECT route_id, day, kind, items, cost FROM spend;
DROP TABLE spend;
ALTER TABLE spend_by_kind RENAME TO spend;

-- What parts that are being sent or edited, or are in doubt, may have cost, from the claim until the
-- receipt; `at` is when they were claimed.
CREATE TABLE reservation (
    post_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at BIGINT NOT NULL,
    price BIGINT NOT NULL,
    PRIMARY KEY (post_id, idx),
    FOREIGN KEY (post_id, idx) REFERENCES part (post_id, idx)
);
INSERT INTO reservation (post_id, idx, at, price)
SELECT post_id, idx, attempted_at, max(0, price - cost) FROM part
WHERE state IN ('attempting', 'in-doubt', 'revising') AND attempted_at IS NOT NULL;

-- Posts that wait until there is money again, and since when. One that its owner has let go, whatever
-- it costs, has `released_at`.
CREATE TABLE money_wait (
    post_id INTEGER NOT NULL PRIMARY KEY REFERENCES post (id),
    since BIGINT NOT NULL
);
ALTER TABLE post ADD COLUMN released_at BIGINT;
CREATE INDEX post_by_release ON post (route_id, released_at) WHERE released_at IS NOT NULL;

-- What a post with links costs under each choice of what becomes of them, as it was composed.
CREATE TABLE link_price (
    post_id INTEGER NOT NULL PRIMARY KEY REFERENCES post (id),
    keep BIGINT NOT NULL,
    defuse BIGINT NOT NULL,
    "drop" BIGINT NOT NULL
);

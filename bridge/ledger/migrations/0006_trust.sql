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

-- Whether a post belongs to a conversation with somebody else: it replies to them, or to an own post that
-- does. Of what was recorded before, only the replies to others themselves are known.
ALTER TABLE post ADD COLUMN with_others INTEGER NOT NULL DEFAULT 0;
UPDATE post SET with_others = 1 WHERE reason = 'reply';

-- `refused_since` is when a part was first refused for a reason that may pass, none where its last try
-- was not. It is tried again for a day, counted from then.
ALTER TABLE part ADD COLUMN refused_since BIGINT;

-- Whose accounts a bridge joins. `server` is the host of the account's address, by its network's own
-- word; `created_at` is when the account was created, where the network says so. A bridge that was
-- told to start anew keeps its former accounts under the name that its former routes have then.
CREATE TABLE account (
    bridge TEXT NOT NULL,
    network TEXT NOT NULL CHECK (network IN ('mastodon', 'x')),
    account TEXT NOT NULL,
    server TEXT NOT NULL,
    handle TEXT NOT NULL,
    created_at BIGINT,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (bridge, network)
);

-- When the bridge was told to start anew: whatever the configuration says of old posts was said of the
-- former accounts.
ALTER TABLE route ADD COLUMN rebound_at BIGINT;

-- How deletions and edits are followed. `missing_at` is when a look-up last said that a post is gone whose
-- mirror still stands, because its owner has to confirm so many deletions. `reached_at` is the time of
-- the oldest post that the last paid comparison covered: what is older is not checked. `vouched_at` is
-- when the owner last confirmed deletions. `checked_post` is the last post that the round of look-ups
-- asked about, NULL between two rounds; `checked_at` is when the last round ended.
ALTER TABLE post ADD COLUMN missing_at BIGINT;
ALTER TABLE route ADD COLUMN reached_at BIGINT;
ALTER TABLE route ADD COLUMN vouched_at BIGINT;
ALTER TABLE route ADD COLUMN checked_post BIGINT;
ALTER TABLE route ADD COLUMN checked_at BIGINT;
CREATE INDEX post_by_missing ON post (route_id, missing_at) WHERE missing_at IS NOT NULL;
CREATE INDEX post_by_gone ON post (route_id, gone_at) WHERE gone_at IS NOT NULL;

-- What routes wait for, and until when it is tried again, so that a new process does not ask anew. `told`
-- is the end by the network's own word; `post` is what was refused last, alone or as one of `several`.
-- `stamp` tells the login and configuration under which it happened: with others it counts no more.
CREATE TABLE wait (
    route_id INTEGER NOT NULL REFERENCES route (id),
    gate TEXT NOT NULL,
    network TEXT NOT NULL,
    why TEXT NOT NULL,
    detail TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    told BIGINT,
    failures BIGINT NOT NULL,
    post TEXT,
    several INTEGER NOT NULL,
    of_media INTEGER NOT NULL,
    stamp TEXT NOT NULL,
    PRIMARY KEY (route_id, gate)
);

-- When all that a source lists was last compared with what is recorded, and the last gap that was
-- found in it: since when, why, how many posts of it were recorded, and until when.
CREATE TABLE audit (
    route_id INTEGER NOT NULL PRIMARY KEY REFERENCES route (id),
    at BIGINT,
    gap_since BIGINT,
    gap_why TEXT NOT NULL DEFAULT '',
    gap_posts BIGINT NOT NULL DEFAULT 0,
    gap_closed BIGINT
);

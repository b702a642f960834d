PRAGMA application_id = 1953982830;
PRAGMA user_version = 6;
BEGIN TRANSACTION;
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
CREATE TABLE "attempt_log" (
    id INTEGER NOT NULL PRIMARY KEY,
    post_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    body_hash TEXT,
    detail TEXT NOT NULL,
    FOREIGN KEY (post_id, idx) REFERENCES "part" (post_id, idx)
);
INSERT INTO "attempt_log" VALUES(1,1,0,1795348800000000,'claim','attempting','hash','');
INSERT INTO "attempt_log" VALUES(2,1,0,1795348800000000,'receipt','delivered',NULL,'');
INSERT INTO "attempt_log" VALUES(3,1,1,1795348800000000,'claim','attempting','hash','');
INSERT INTO "attempt_log" VALUES(4,1,1,1795348800000000,'receipt','delivered',NULL,'');
CREATE TABLE audit (
    route_id INTEGER NOT NULL PRIMARY KEY REFERENCES route (id),
    at BIGINT,
    gap_since BIGINT,
    gap_why TEXT NOT NULL DEFAULT '',
    gap_posts BIGINT NOT NULL DEFAULT 0,
    gap_closed BIGINT
);
CREATE TABLE awaited (
    post_id INTEGER NOT NULL PRIMARY KEY REFERENCES post (id),
    route_id INTEGER NOT NULL REFERENCES route (id),
    needs INTEGER NOT NULL REFERENCES post (id),
    until BIGINT NOT NULL,
    source TEXT
);
CREATE TABLE baseline (
    source TEXT NOT NULL,
    route_id INTEGER NOT NULL REFERENCES route (id),
    PRIMARY KEY (source, route_id)
);
CREATE TABLE former_target (
    target_id TEXT NOT NULL,
    target_url TEXT,
    post_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    PRIMARY KEY (target_id, post_id, idx),
    FOREIGN KEY (post_id, idx) REFERENCES part (post_id, idx)
);
CREATE TABLE known_id (
    source TEXT NOT NULL,
    route_id INTEGER NOT NULL REFERENCES route (id),
    post_id INTEGER NOT NULL REFERENCES post (id),
    PRIMARY KEY (source, route_id)
);
INSERT INTO "known_id" VALUES('1',1,1);
INSERT INTO "known_id" VALUES('2',1,2);
INSERT INTO "known_id" VALUES('3',1,3);
CREATE TABLE lease (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    owner TEXT NOT NULL,
    epoch BIGINT NOT NULL CHECK (epoch >= 0),
    expires_at BIGINT NOT NULL,
    commits BIGINT NOT NULL CHECK (commits >= 0)
);
INSERT INTO "lease" VALUES(1,'test',1,0,11);
CREATE TABLE link_price (
    post_id INTEGER NOT NULL PRIMARY KEY REFERENCES post (id),
    keep BIGINT NOT NULL,
    defuse BIGINT NOT NULL,
    "drop" BIGINT NOT NULL
);
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO "meta" VALUES('id','7b62ff684d58f0a16f0664ef73b0e1c8');
INSERT INTO "meta" VALUES('made_at','2026-11-22T12:00:00+00:00');
INSERT INTO "meta" VALUES('fingerprint_key','c75e4258a2674774ba24888f1d50a79aff84a26b72fe1d7293ea6c6833354d69');
CREATE TABLE money_wait (
    post_id INTEGER NOT NULL PRIMARY KEY REFERENCES post (id),
    since BIGINT NOT NULL
);
CREATE TABLE "part" (
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
    aside INTEGER NOT NULL DEFAULT 0 CHECK (aside IN (0, 1)), refused_since BIGINT,
    PRIMARY KEY (post_id, idx),
    CHECK (
        state = 'gone'
        OR (target_id IS NOT NULL)
        = (state IN ('delivered', 'outdated', 'revising', 'unwanted', 'deleting'))
    )
);
INSERT INTO "part" VALUES(1,0,1,'delivered','{"version":1,"text":"one","spoiler":"","sensitive":false,"language":null,"visibility":"public","media":[],"poll":null,"quote":null,"repeat":null}',15000,1795348800000000,1,1795348800000000,'hash','900','https://x.example/@me/900',15000,'',1795348800000000,NULL,0,NULL);
INSERT INTO "part" VALUES(1,1,1,'delivered','{"version":1,"text":"two","spoiler":"","sensitive":false,"language":null,"visibility":"public","media":[],"poll":null,"quote":null,"repeat":null}',15000,1795348800000000,1,1795348800000000,'hash','901','https://x.example/@me/901',15000,'',1795348800000000,NULL,0,NULL);
INSERT INTO "part" VALUES(2,0,1,'planned','{"version":1,"text":"hello","spoiler":"","sensitive":false,"language":null,"visibility":"public","media":[],"poll":null,"quote":null,"repeat":null}',15000,1795348800000000,0,NULL,NULL,NULL,NULL,15000,'',NULL,NULL,0,NULL);
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
    answers TEXT, fingerprint TEXT, media INTEGER, same_as TEXT, content TEXT, edited_at BIGINT, pending TEXT, gone_at BIGINT, released_at BIGINT, with_others INTEGER NOT NULL DEFAULT 0, missing_at BIGINT,
    UNIQUE (route_id, source)
);
INSERT INTO "post" VALUES(1,1,'1','https://mastodon.example/@me/1',1795348800000000,1795348800000000,1795348800000000,'mirror','allowed','','["shortened"]',NULL,NULL,NULL,'77ccae047b773139694cf6f7a12831ea950ac1599d18a8c84bec9528fdf8108f',0,NULL,'9fd5c520f40c15558a9f4e2c3247033367831b435c3a624a9354bee67117601b',NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "post" VALUES(2,1,'2','https://mastodon.example/@me/2',1795348800000000,1795348800000000,1795348800000000,'mirror','allowed','','["shortened"]','1',1,NULL,'595a4eb574d2d08fc908f8994a97a60eaab9355d07f8ff0d67b6d0fc75f2b976',0,NULL,'9fd5c520f40c15558a9f4e2c3247033367831b435c3a624a9354bee67117601b',NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "post" VALUES(3,1,'3','https://mastodon.example/@me/3',1795348800000000,1795348800000000,1795348800000000,'skip','audience','followers only','[]',NULL,NULL,NULL,'77ccae047b773139694cf6f7a12831ea950ac1599d18a8c84bec9528fdf8108f',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
CREATE TABLE reservation (
    post_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at BIGINT NOT NULL,
    price BIGINT NOT NULL,
    PRIMARY KEY (post_id, idx),
    FOREIGN KEY (post_id, idx) REFERENCES part (post_id, idx)
);
CREATE TABLE route (
    id INTEGER NOT NULL PRIMARY KEY,
    bridge TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('mastodon_to_x', 'x_to_mastodon')),
    last_read_at BIGINT,
    last_mirrored_at BIGINT, rechecked_at BIGINT, passed_at BIGINT, restored_at BIGINT, rebound_at BIGINT, reached_at BIGINT, vouched_at BIGINT, checked_post BIGINT, checked_at BIGINT,
    UNIQUE (bridge, direction)
);
INSERT INTO "route" VALUES(1,'personal','mastodon_to_x',1795348800000000,1795348800000000,NULL,1795348800000000,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE route_cursor (
    route_id INTEGER NOT NULL PRIMARY KEY REFERENCES route (id),
    post TEXT,
    at BIGINT,
    floor BIGINT
);
INSERT INTO "route_cursor" VALUES(1,'3',1795348800000000,NULL);
CREATE TABLE "spend" (
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
INSERT INTO "spend" VALUES(1,'2026-11-22','delivery',2,30000);
INSERT INTO "spend" VALUES(1,'2026-11-22','media',1,15000);
INSERT INTO "spend" VALUES(1,'2026-11-22','read',3,3000);
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
INSERT INTO "upload" VALUES(2,0,'0000000000000000000000000000000000000000000000000000000000000000','m1',1795348800000000,NULL,0,15000);
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
CREATE TABLE wanted (
    source TEXT NOT NULL,
    route_id INTEGER NOT NULL REFERENCES route (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (source, route_id)
);
CREATE INDEX post_by_route ON post (route_id, id);
CREATE INDEX post_by_time ON post (route_id, created_at);
CREATE INDEX post_by_url ON post (source_url) WHERE source_url IS NOT NULL;
CREATE INDEX post_by_fingerprint ON post (route_id, fingerprint, created_at)
    WHERE fingerprint IS NOT NULL;
CREATE INDEX post_by_twin ON post (route_id, same_as) WHERE same_as IS NOT NULL;
CREATE INDEX post_by_parent ON post (waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX known_id_by_post ON known_id (post_id);
CREATE INDEX part_by_state ON part (route_id, state, post_id, idx, not_before);
CREATE INDEX part_by_time ON part (route_id, not_before) WHERE state = 'planned';
CREATE INDEX part_by_target ON part (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX part_by_target_url ON part (target_url) WHERE target_url IS NOT NULL;
CREATE INDEX attempt_log_by_part ON attempt_log (post_id, idx, id);
CREATE INDEX former_target_by_url ON former_target (target_url) WHERE target_url IS NOT NULL;
CREATE INDEX wanted_by_route ON wanted (route_id, at);
CREATE INDEX part_by_standing ON part (route_id, stands_since) WHERE stands_since IS NOT NULL;
CREATE INDEX part_by_text ON part (attempted_at)
    WHERE body IS NOT NULL AND state IN ('delivered', 'dropped', 'gone');
CREATE INDEX post_by_release ON post (route_id, released_at) WHERE released_at IS NOT NULL;
CREATE INDEX awaited_by_route ON awaited (route_id, post_id);
CREATE INDEX post_by_missing ON post (route_id, missing_at) WHERE missing_at IS NOT NULL;
CREATE INDEX post_by_gone ON post (route_id, gone_at) WHERE gone_at IS NOT NULL;
COMMIT;

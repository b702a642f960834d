-- To find a post that its author, or another tool, put on both networks. `fingerprint` is a keyed
-- digest of what it says, never the text; its key is made once and stands in `meta`. NULL for what is
-- not compared, and for posts recorded before. `media` is how many it had. `same_as` is the post of the
-- target network that was found to be the same.
ALTER TABLE post ADD COLUMN fingerprint TEXT;
ALTER TABLE post ADD COLUMN media INTEGER;
ALTER TABLE post ADD COLUMN same_as TEXT;
CREATE INDEX post_by_fingerprint ON post (route_id, fingerprint, created_at)
    WHERE fingerprint IS NOT NULL;
CREATE INDEX post_by_twin ON post (route_id, same_as) WHERE same_as IS NOT NULL;
CREATE INDEX post_by_parent ON post (waits_for) WHERE waits_for IS NOT NULL;

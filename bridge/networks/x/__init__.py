"""Everything that speaks the X API v2, in either of its two vocabularies."""

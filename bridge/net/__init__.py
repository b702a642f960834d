"""What every network needs of the wire. Must not know what is said over it."""

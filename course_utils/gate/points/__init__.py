"""The points of the release gate, one file or two a point, named for what they prove."""

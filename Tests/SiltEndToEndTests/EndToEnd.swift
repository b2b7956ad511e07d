import Testing

/// Tests that trace real processes, one at a time: several at once would measure each other.
@Suite(.serialized)
enum EndToEnd {}

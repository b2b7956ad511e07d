package import SiltEvents
internal import SiltHeap

/// What a trace is asked to do.
package struct TraceOptions: Sendable {
    /// Where the recording goes.
    package var recording: String
    /// Where the raw stream goes besides; nil: nowhere.
    package var events: String?
    /// Seconds between snapshots, which are closer together at first (`SnapshotScale`).
    package var snapshotEvery: Double
    /// What recordings name as the silt that wrote them.
    package var siltVersion = ""
    /// Socket to listen at; nil for a private one.
    package var socket: String?
    /// More functions to be taken for allocator wrappers (POSIX extended regular expressions).
    package var hide: [String] = []
    /// Go on after the command ended, until every traced process has.
    package var follow = false
    /// End when the last traced process has ended (a listener that serves one program).
    package var once = false
    /// Set when the preload library started this listener for its program.
    package var startedByPreload: StartedByPreload?
    /// Set when a hunt started this listener: it lasts as long as the hunt's connection.
    package var servesHunt = false
    /// Called at once with what a user must know while the trace goes on; must not wait for anybody.
    package var warn: (@Sendable (String) -> Void)?
    /// Called with the first process of each program that is traced; must not wait for anybody.
    package var met: (@Sendable (_ pid: Int32, _ program: String) -> Void)?
    /// Called about once a second with how things stand; must not wait for anybody.
    package var progress: (@Sendable (TraceProgress) -> Void)?

    /// Rounds of a hunt are what its snapshots are taken at.
    var scale: SnapshotScale { servesHunt ? .even : SnapshotScale(period: snapshotEvery) }

    package init(recording: String, snapshotEvery: Double = 1) {
        self.recording = recording
        self.snapshotEvery = snapshotEvery
    }
}

/// How a listener that the preload library started talks to it.
package struct StartedByPreload: Sendable {
    /// A byte is written here once the socket is there, then it is closed.
    package var readyDescriptor: Int32
    /// The program, which waits for that byte.
    package var program: Int32

    package init(readyDescriptor: Int32, program: Int32) {
        self.readyDescriptor = readyDescriptor
        self.program = program
    }
}

/// How a running trace stands.
package struct TraceProgress: Sendable {
    package var seconds: Double
    package var liveBytes: UInt64
    package var liveBlocks: UInt64
    package var processes: Int
    package var topGrower: Grower?

    /// The function whose blocks, or what else it takes, rose most lately.
    package struct Grower: Sendable {
        package var function: String
        package var resource: Resource
        /// Bytes, or a number of what has no size, in so many seconds.
        package var rise: UInt64
        package var seconds: Double
    }
}

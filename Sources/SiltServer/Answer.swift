internal import SiltFindings
internal import SiltPprof
internal import SiltReports

/// What a request gets.
struct Answer: Sendable {
    var status = 200
    var type = ReportOutput.plainText
    var body: [UInt8] = []

    init(status: Int = 200, type: String = ReportOutput.plainText, _ text: String) {
        self.status = status
        self.type = type
        body = Array(text.utf8)
    }

    init(status: Int = 200, type: String, bytes: [UInt8]) {
        self.status = status
        self.type = type
        body = bytes
    }

    /// The answer of a route that takes one report.
    init(_ route: Route, _ current: ReportSource.Current) throws {
        let report = current.report
        switch route {
        case .page: self.init(type: "text/html; charset=utf-8", HTMLReport.livePage)
        case .pageData:
            var text = ""
            PageData.render(report.opening, into: &text)
            self.init(type: ReportOutput.jsonType, text)
        case .output(let output):
            var bytes: [UInt8] = []
            try output.write(report) { bytes += $0 }
            self.init(type: output.contentType, bytes: bytes)
        case .metrics: self.init(type: "text/plain; version=0.0.4; charset=utf-8", MetricsText.render(current))
        case .index: self.init(Self.index)
        case .symbols: self.init("num_symbols: 1\n")
        case .profile(let isAllocated, let isText, _):
            if isText {
                var text = ""
                GoHeapText.render(report, into: &text)
                self.init(text)
            } else {
                self.init(
                    type: "application/octet-stream",
                    bytes: try Self.collect { write throws(PprofError) in
                        try PprofExport.write(
                            report.opening,
                            defaultType: isAllocated ? "alloc_space" : "inuse_space",
                            to: write
                        )
                    }
                )
            }
        case .events, .nothing: self.init(status: 404, Self.missing)
        case .badQuery(let problem): self.init(status: 400, problem + "\n")
        }
    }

    /// What came from one report to another.
    init(from before: ReportSource.Current, to after: ReportSource.Current) throws {
        let diff = try HeapDiff(
            DiffSide(before.report, name: "before"),
            DiffSide(after.report, name: "after"),
            settings: DiffSettings()
        )
        let bytes = try Self.collect { write throws(PprofError) in try DiffPprof.write(diff, to: write) }
        self.init(type: "application/octet-stream", bytes: bytes)
    }

    static let missing = "nothing here: see /, /api/report, /metrics and /debug/pprof/\n"

    private static let index = """
        /debug/pprof/heap      what is in use: go tool pprof http://…/debug/pprof/heap
        /debug/pprof/allocs    what was allocated since the start
            ?debug=1           as text
            ?seconds=30        what came in that time
        /metrics               for Prometheus
        /api/report            the report as JSON
        /api/NAME              another output of silt report: \(ReportOutput.all.map(\.name).joined(separator: ", "))
        /                      the report as a live page

        """

    private static func collect(
        _ body: (@escaping ([UInt8]) -> Void) throws(PprofError) -> Void
    ) throws(PprofError) -> [UInt8] {
        let pieces = Pieces()
        try body { pieces.bytes += $0 }
        return pieces.bytes
    }

    private final class Pieces {
        var bytes: [UInt8] = []
    }
}

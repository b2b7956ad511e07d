/// How many requests a round's load made, and how many of them did not succeed.
package struct RequestCount: Sendable, Equatable {
    package var requests: Int
    /// Among `requests` or beyond them, as the tool counts: errors of connections and answers that were not a success.
    package var failed: Int

    package init(requests: Int, failed: Int = 0) {
        self.requests = requests
        self.failed = failed
    }
}

/// What one run of a load script came to.
package struct LoadResult: Sendable, Equatable {
    /// What it wrote to standard output and error, in that order of time; a long output without its middle.
    package var output: String
    /// Its exit status, or 128 + signal.
    package var status: Int32
    package var wallSeconds: Double
    /// CPU time of the script and what it waited for.
    package var cpuSeconds: Double
    /// What its tools said they did; nil when nothing in the output says it.
    package var count: RequestCount?

    package init(output: String, status: Int32, wallSeconds: Double, cpuSeconds: Double, count: RequestCount? = nil) {
        self.output = output
        self.status = status
        self.wallSeconds = wallSeconds
        self.cpuSeconds = cpuSeconds
        self.count = count
    }
}

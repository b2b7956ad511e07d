/// Why a file cannot be used, or what was asked for is not there; each description says where.
package enum ReportError: Error, Equatable {
    case cannotRead(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    /// An invalid suppression; `source` as `file:line` or the option it came from.
    case suppression(source: String, problem: String)
    case baseline(path: String, problem: String)
    /// A comparison asks for what a recording does not have.
    case notRecorded(path: String, what: String)
    case noMoment(MomentName, known: String)
    /// Two moments of a comparison, the second not later than the first.
    case noTimeBetween(MomentName, MomentName, isReversed: Bool)

    /// Another command line would do.
    package var isOfUsage: Bool {
        switch self {
        case .noTimeBetween: true
        case .cannotRead, .cannotWrite, .suppression, .baseline, .notRecorded, .noMoment: false
        }
    }
}

extension ReportError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotRead(let path, let reason): "cannot read \(path): \(reason)"
        case .cannotWrite(let path, let reason):
            "cannot write \(path == "-" ? "to standard output" : path): \(reason)"
        case .suppression(let source, let problem): "\(source): \(problem)"
        case .notRecorded(let path, let what): "\(path): \(what)"
        case .noMoment(let name, let known): "there is no moment \(name): \(known)"
        case .noTimeBetween(let first, let second, isReversed: true):
            "--between \(first.word) \(second.word) goes back in time: name the earlier moment first, "
                + "--between \(second.word) \(first.word)"
        case .noTimeBetween(let first, let second, isReversed: false):
            "--between \(first.word) \(second.word) names one moment twice: name an earlier and a later one, as "
                + "--between start end"
        case .baseline(let path, let problem):
            "\(path) is no baseline: \(problem); silt check --write-baseline makes one"
        }
    }
}

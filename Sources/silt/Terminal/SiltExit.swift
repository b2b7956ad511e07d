internal import ArgumentParser
internal import SiltFindings

/// The version that recordings and `--version` name.
let siltVersion = "0.1.0"

/// Exit statuses besides that of the traced command.
enum SiltExit {
    static let usage = ExitCode(2)
    static let cannotMeasure = ExitCode(3)

    /// What `silt hunt` ends with.
    static func of(_ verdict: HeapReport.Verdict) -> ExitCode {
        switch verdict {
        case .notGrowing: ExitCode(0)
        case .growing: ExitCode(1)
        case .inconclusive: cannotMeasure
        }
    }
}

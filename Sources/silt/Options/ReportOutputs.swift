internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltReports

/// The files of `silt report` that other tools read, an option for each row of `ReportOutput`; several may be written at
/// once.
struct ReportOutputs: ParsableArguments {
    private static let rows = ReportOutput.all.filter { $0.place == .file }

    /// By row.
    private let options: [Option<String?>]

    init() {
        options = Self.rows.map {
            Option(
                name: .customLong($0.name),
                help: ArgumentHelp($0.help, valueName: "file"),
                completion: .file()
            )
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        options = try Self.rows.map { try container.decode(Option<String?>.self, forKey: Key(stringValue: $0.name)) }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }

    private var chosen: [(output: ReportOutput, path: String)] {
        zip(Self.rows, options).compactMap { row, option in option.wrappedValue.map { (row, $0) } }
    }

    private var paths: [String] { chosen.map(\.path) }

    var isEmpty: Bool { chosen.isEmpty }

    /// Whether one of them goes to standard output.
    var usesStandardOutput: Bool { paths.contains("-") }

    /// Whether all of them add up one resource.
    var takeResource: Bool { chosen.allSatisfy(\.output.takesResource) }

    func validate() throws {
        guard Set(paths).count == paths.count else { throw ValidationError("two outputs go to the same file") }
        if chosen.contains(where: { $0.path == "-" && !$0.output.isText }), isatty(STDOUT_FILENO) == 1 {
            throw ValidationError("a profile is no text: name a file, or lead standard output to one")
        }
    }

    /// Opens all of them before it writes the first.
    func write(_ report: HeapReport) throws {
        for (output, file) in try chosen.map({ ($0.output, try OutputFile($0.path)) }) {
            try output.write(report, to: file.write)
            try file.close()
        }
    }
}

/// What the parser takes for the properties: the options by their names.
extension ReportOutputs: CustomReflectable {
    var customMirror: Mirror {
        Mirror(self, children: zip(Self.rows, options).map { (label: "_" + $0.name, value: $1) })
    }
}

internal import ArgumentParser

/// A row of a table, given by an option of its own.
protocol OptionRow {
    associatedtype Value: ExpressibleByArgument

    static var rows: [Self] { get }
    var optionName: String { get }
    var optionHelp: ArgumentHelp { get }
    var optionValues: CompletionKind? { get }
}

/// An option for each row of a table.
struct OptionTable<Row: OptionRow>: ParsableArguments, CustomReflectable {
    /// By row.
    private let options: [Option<Row.Value?>]

    init() {
        options = Row.rows.map {
            Option(name: .customLong($0.optionName), help: $0.optionHelp, completion: $0.optionValues)
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        options = try Row.rows.map {
            try container.decode(Option<Row.Value?>.self, forKey: Key(stringValue: $0.optionName))
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }

    /// Those that were given.
    var given: [(row: Row, value: Row.Value)] {
        zip(Row.rows, options).compactMap { row, option in option.wrappedValue.map { (row, $0) } }
    }

    /// What the parser takes for the properties: the options by their names.
    var customMirror: Mirror {
        Mirror(self, children: zip(Row.rows, options).map { (label: "_" + $0.optionName, value: $1) })
    }
}

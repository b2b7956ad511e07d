internal import Glibc
internal import SiltJSON

/// A manual page in mdoc(7), out of the parser's description of a command and its subcommands.
struct ManualPage {
    private(set) var text = ""

    init(_ command: JSONValue, version: String) {
        macro("Dd", Self.today)
        macro("Dt", "SILT 1")
        macro("Os", "silt \(version)")
        macro("Sh", "NAME")
        macro("Nm", "silt")
        // A period would end the sentence that apropos(1) makes of it.
        macro("Nd", Self.safe(command.string("abstract").trimmedPeriod))
        macro("Sh", "SYNOPSIS")
        macro("Nm", "silt")
        macro("Ar", "command")
        macro("Op", "Ar options")
        macro("Sh", "DESCRIPTION")
        discussion(command.string("discussion"))
        macro("Sh", "COMMANDS")
        for subcommand in command.list("subcommands") where subcommand.isShown { section(subcommand) }
        macro("Sh", "SEE ALSO")
        macro("Xr", "perf 1 ,")
        macro("Xr", "ld.so 8")
    }

    private mutating func section(_ command: JSONValue) {
        let name = command.string("commandName")
        if name == "help" { return }
        let arguments = command.list("arguments").filter(\.isShown)
        macro("Ss", "silt \(name)")
        line(command.string("abstract"))
        macro("Pp")
        macro("Nm", "silt Cm \(name)")
        for argument in arguments { macro("Op", synopsis(argument)) }
        macro("Pp")
        discussion(command.string("discussion"))
        guard !arguments.isEmpty else { return }
        macro("Bl", "-tag -width Ds")
        for argument in arguments {
            macro("It", synopsis(argument))
            line(argument.string("abstract"))
            let values = argument.strings("allValues")
            if !values.isEmpty { line("One of \(values.joined(separator: ", ")).") }
            if let standard = argument["defaultValue"]?.text { line("Without it: \(standard).") }
        }
        macro("El")
    }

    private func synopsis(_ argument: JSONValue) -> String {
        let value = "Ar \(Self.safe(argument.string("valueName")))"
        switch argument.string("kind") {
        case "flag", "option":
            let names = argument.list("names").map { name in
                "Fl \(name.string("kind") == "short" ? "" : "-")\(name.string("name"))"
            }
            let all = names.sorted { $0.count > $1.count }.joined(separator: " , ")
            return argument.string("kind") == "flag" ? all : all + " " + value
        default: return value
        }
    }

    /// Lines that begin with the program's name, or go on with one, are examples.
    private mutating func discussion(_ text: String) {
        for paragraph in text.split(separator: "\n\n") {
            let lines = paragraph.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.first?.hasPrefix("silt ") == true {
                macro("Bd", "-literal -offset left")
                for line in lines { self.line(String(line)) }
                macro("Ed")
            } else {
                for line in lines { self.line(String(line)) }
            }
            macro("Pp")
        }
        // A paragraph's break is between paragraphs.
        if text.isEmpty == false, self.text.hasSuffix(".Pp\n") { self.text.removeLast(".Pp\n".utf8.count) }
    }

    // MARK: mdoc

    private mutating func macro(_ name: String, _ words: String = "") {
        text += "." + name + (words.isEmpty ? "" : " " + words) + "\n"
    }

    private mutating func line(_ words: String) {
        guard !words.isEmpty else { return }
        let isControl = words.hasPrefix(".") || words.hasPrefix("'")
        text += (isControl ? "\\&" : "") + words.replacing("\\", with: "\\e") + "\n"
    }

    /// Words after a macro, none of which is a macro itself.
    private static func safe(_ words: String) -> String {
        words.split(separator: " ").map { "\\&" + $0.replacing("\\", with: "\\e").replacing("\"", with: "\\(dq") }
            .joined(separator: " ")
    }

    private static var today: String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let length = strftime(&buffer, buffer.count, "%B %e, %Y", &parts)
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ").joined(separator: " ")
    }
}

extension JSONValue {
    fileprivate var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    fileprivate func string(_ name: String) -> String { self[name]?.text ?? "" }

    fileprivate func list(_ name: String) -> [JSONValue] {
        guard case .array(let values)? = self[name] else { return [] }
        return values
    }

    fileprivate func strings(_ name: String) -> [String] { list(name).compactMap(\.text) }

    fileprivate var isShown: Bool { self["shouldDisplay"] != .bool(false) }
}

extension String {
    fileprivate var trimmedPeriod: String { hasSuffix(".") ? String(dropLast()) : self }
}

import Foundation
import SiltTestSupport
import Testing

/// The sources against the golden file: nothing is said that nobody has read.
extension SentencesTests {
    /// What is called with texts that are help, or never read by a user.
    private static let besides = [
        "CommandConfiguration", "@Option", "@Flag", "@Argument", "@OptionGroup", "ArgumentHelp", "precondition",
        "preconditionFailure", "fatalError",
    ]

    /// Files whose texts are not sentences: names that compilers make, what is sent to other programs, the page of silt man.
    private static let withoutSentences = [
        "AllocatorFrames", "Dashboard", "DebugUnit", "DemoLoad", "DemoServer", "EmbedPage", "InterpreterNames",
        "KnownPairs+Table", "LoadToolText", "ManualPage", "PlumbingNames", "QualifiedName", "ReadableName", "SwiftName",
        "WrapperNames",
    ]

    /// Commands that sentences name, and what begins a file.
    private static let words: Set = [
        "report --flame", "hunt --init", "silt --help", "silt … --help", "SQLite format 3",
    ]

    private static func sources(_ folder: String) throws -> [(name: String, phrases: [String])] {
        try texts(in: packageRoot.appending(path: folder), ending: "swift").compactMap { name, text in
            let file = URL(filePath: name).deletingPathExtension().lastPathComponent
            guard !withoutSentences.contains(file), !name.hasSuffix(".pb.swift") else { return nil }
            return (name, StringLiterals(text, besides: besides).texts.filter { isSentence($0) })
        }
    }

    private static func isSentence(_ text: String) -> Bool {
        let isSQL = text.contains(/^(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE|BEGIN|… = )/)
        return text.contains(" ") && text.isPhrase && !isSQL && !words.contains(text)
    }

    /// Of modules but the reports, which have their own golden files: what none of the samples says.
    mutating func literals() throws {
        let samples = lines.joined(separator: " ").inOneLine
        var unsaid: [Substring: Set<String>] = [:]
        for (name, phrases) in try Self.sources("Sources") {
            let module = name.prefix { $0 != "/" }
            guard module != "silt", module != "SiltReports" else { continue }
            unsaid[module, default: []].formUnion(phrases.filter { !$0.phrases.allSatisfy(samples.contains) })
        }
        for (module, texts) in unsaid.sorted(by: { $0.key < $1.key }) where !texts.isEmpty {
            lines += ["\(module):"] + texts.sorted().map { "  " + $0 }
        }
    }

    @Test func whatTheCommandLineSaysStandsInOneFolderAndInTheGoldenFile() throws {
        let said = lines.joined(separator: " ").inOneLine
        let sources = try Self.sources("Sources/silt")
        #expect(sources.count > 40)
        for (name, phrases) in sources {
            for text in phrases {
                if name.hasPrefix("Text/") {
                    for phrase in text.phrases { #expect(said.contains(phrase), "\(name): \(phrase)") }
                } else {
                    Issue.record("\(name): this belongs into the folder Text: \(text)")
                }
            }
        }
    }

    /// By the declarations in the sources: a line for each case.
    @Test func everyCaseOfEveryErrorThatDescribesItselfIsThere() throws {
        let files = try texts(in: packageRoot.appending(path: "Sources"), ending: "swift").map(\.text)
            .filter { $0.contains("Error") }.map { $0.split(separator: "\n") }
        let extended = files.joined().filter { $0.hasPrefix("extension ") && $0.hasSuffix("CustomStringConvertible {") }
            .compactMap { $0.firstMatch(of: /(\w+):/)?.1 }
        var names: Set<Substring> = []
        for lines in files {
            for (number, line) in lines.enumerated() {
                guard let found = line.firstMatch(of: /^( *)[a-z ]*(?:enum|struct) (\w+): (.*\bError\b.*){$/),
                    found.3.contains("CustomStringConvertible") || extended.contains(found.2)
                else { continue }
                let (indent, name) = (found.1, found.2)
                let body = lines[(number + 1)...].prefix { $0 != "\(indent)}" }
                let cases = body.count { $0.hasPrefix("\(indent)    case ") }
                let samples = Set(self.lines.filter { $0.hasPrefix(name + ": ") }).count
                #expect(samples >= max(1, cases), "\(name): \(cases) cases, \(samples) of them in the golden file")
                names.insert(name)
            }
        }
        #expect(names.count > 20 && names.isSuperset(of: ["HuntError", "Damage", "ControlError"]), "\(names.sorted())")
    }
}

import Foundation

/// What another program reads in a file of ours; throws with its complaint when it fails or complains.
package func consume(_ command: [String], input: String? = nil) throws -> String {
    let result = try runProgram(command, input: input)
    guard result.status == 0, result.errors.isEmpty else {
        throw TestSetupError(description: "\(command): status \(result.status) \(result.errors)")
    }
    return result.output
}

/// Runs `go tool pprof`.
package func goToolPprof(_ arguments: [String]) throws -> String { try consume(["go", "tool", "pprof"] + arguments) }

/// The table of `go tool pprof -top` and of what has its shape: from the first line that is about the numbers.
package func table(in text: String) -> String {
    guard let start = text.range(of: "Showing nodes accounting for") else { return text }
    return String(text[start.lowerBound...])
}

/// Whether the lines of a table are those of `go tool pprof`; what silt left out in the middle of a long name may be anything.
package func areSameLines(_ ours: some Sequence<String>, _ theirs: some Sequence<String>) -> Bool {
    let (ours, theirs) = (Array(ours), Array(theirs))
    return ours.count == theirs.count
        && zip(ours, theirs).allSatisfy { our, their in
            let ends = our.components(separatedBy: "…")
            // A name that is left without its types is without its parameters too.
            let end = ends.last.map { $0.hasPrefix(">") ? $0.dropFirst() : $0[...] } ?? ""
            return our == their
                || ends.count == 2 && their.count >= our.count && their.hasPrefix(ends[0]) && their.hasSuffix(end)
        }
}

/// The boxes of the picture that flamegraph.pl makes of folded stacks: the texts shown for each.
package func flameGraphTitles(_ folded: String, options: [String] = []) throws -> [String] {
    let script = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"
    let picture = try consume(["perl", script] + options, input: folded)
    return picture.components(separatedBy: "<title>").dropFirst().compactMap {
        $0.components(separatedBy: "</title>").first
    }
}

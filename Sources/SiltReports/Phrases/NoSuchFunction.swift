internal import SiltSymbols
internal import SiltText

/// No function of the stacks that are shown is one that was asked for.
package struct NoSuchFunction: Error, CustomStringConvertible {
    package let description: String

    /// `shown`: what the stacks hold; `names`: all functions of the recording.
    init(_ pattern: FunctionPattern, shown: String, among names: [String]) {
        let problem = "no function matches \(pattern.source) in the stacks that are shown (\(shown))"
        let hidden = names.filter(pattern.matches)
        if let first = hidden.first {
            let which = hidden.count > 1 ? "\(first) and \(hidden.count - 1) more are" : "\(first) is"
            description = "\(problem): \(which) in others alone (--by and --resource choose them)"
        } else {
            let near = Self.near(pattern.source, among: names)
            description = problem + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?")
        }
    }

    private static let maximumNear = 3

    /// Functions that differ from it in case alone, or by a slip.
    private static func near(_ source: String, among names: [String]) -> [String] {
        let wanted = source.filter { $0.isLetter || $0.isNumber || "_:.".contains($0) }.lowercased()
        let similar = names.filter { !wanted.isEmpty && $0.lowercased().contains(wanted) }
        if !similar.isEmpty { return Array(similar.prefix(maximumNear)) }
        let last = lastComponent(of: wanted)
        let bare = names.map { lastComponent(of: abridgedName($0, width: 1).lowercased()) }
        guard let nearest = nearest(last, among: bare) else { return [] }
        return zip(names, bare).filter { $0.1 == nearest }.prefix(maximumNear).map(\.0)
    }

    private static func lastComponent(of name: String) -> String {
        name.split { $0 == ":" || $0 == "." }.last.map(String.init) ?? name
    }
}

internal import SiltText

/// The fields of one mapping of a plan; what is wrong with one is said with its line and path.
struct PlanFields {
    /// The mapping's own place, as `phases[1]`; empty for the plan itself.
    let path: String
    let line: Int
    private let file: String
    private let fields: [String: YAMLNode]

    /// Throws on anything but a mapping, and on a field that is unknown or there twice.
    init(_ node: YAMLNode, path: String, file: String, known: [String]) throws(HuntError) {
        self.path = path
        self.file = file
        line = node.line
        guard case .mapping(let entries) = node.content else {
            throw PlanFields.wrong(node, path, expected: "a mapping with " + known.joined(separator: ", "), file)
        }
        var fields: [String: YAMLNode] = [:]
        for (key, value) in entries {
            guard case .scalar(let name?) = key.content else {
                throw PlanFields.wrong(key, path, expected: "the name of a field", file)
            }
            guard known.contains(name) else {
                let guess = nearest(name, among: known).map { "did you mean \($0)?" }
                throw .plan(
                    file: file,
                    line: key.line,
                    problem: PlanFields.join(path, name) + ": unknown field; "
                        + (guess ?? "there are " + known.joined(separator: ", "))
                )
            }
            if let first = fields.updateValue(value, forKey: name) {
                throw .plan(
                    file: file,
                    line: key.line,
                    problem: PlanFields.join(path, name) + ": there twice, first in line \(first.line)"
                )
            }
        }
        self.fields = fields
    }

    /// The field's value; nil when it is missing.
    subscript(_ name: String) -> YAMLNode? { fields[name] }

    func has(_ name: String) -> Bool { fields[name] != nil }

    func require(_ name: String) throws(HuntError) -> YAMLNode {
        guard let node = fields[name] else {
            throw .plan(file: file, line: line, problem: (path.isEmpty ? "" : path + ": ") + "\(name) is missing")
        }
        return node
    }

    func text(_ name: String) throws(HuntError) -> String? {
        guard let node = fields[name] else { return nil }
        return try text(of: node, PlanFields.join(path, name))
    }

    /// A scalar that is not empty.
    func text(of node: YAMLNode, _ place: String) throws(HuntError) -> String {
        guard case .scalar(let text?) = node.content, !text.isEmpty else {
            throw PlanFields.wrong(node, place, expected: "a text", file)
        }
        return text
    }

    func count(_ name: String, atLeast least: Int) throws(HuntError) -> Int? {
        guard let node = fields[name] else { return nil }
        guard case .scalar(let text?) = node.content, let value = Int(count: text) else {
            throw wrong(name, expected: "a whole number")
        }
        guard value >= least else { throw wrong(name, expected: "a whole number of at least \(least)") }
        return value
    }

    /// A number greater than 0.
    func share(_ name: String) throws(HuntError) -> Double? {
        guard let node = fields[name] else { return nil }
        guard case .scalar(let text?) = node.content, let value = Double(text), value > 0, value.isFinite else {
            throw wrong(name, expected: "a number greater than 0")
        }
        return value
    }

    func seconds(_ name: String, mayBeZero: Bool = false) throws(HuntError) -> Double? {
        guard let node = fields[name] else { return nil }
        guard case .scalar(let text?) = node.content, let value = Quantity.seconds(text) else {
            throw wrong(name, expected: "a duration as 500ms, 10s or 2m")
        }
        guard value > 0 || mayBeZero, value <= 7 * 86400 else {
            throw wrong(name, expected: "a duration of " + (mayBeZero ? "" : "more than 0 and ") + "at most a week")
        }
        return value
    }

    func bytes(_ name: String) throws(HuntError) -> Double? {
        guard let node = fields[name] else { return nil }
        guard case .scalar(let text?) = node.content, let value = Quantity.bytes(text), value < 1e18 else {
            throw wrong(name, expected: "a size as 512MiB, 64KiB or 100")
        }
        return value
    }

    /// What is wrong with a field that has another value than it may have.
    func wrong(_ name: String, expected: String) -> HuntError {
        guard let node = fields[name] else { return problem(name, "expected \(expected)") }
        return PlanFields.wrong(node, PlanFields.join(path, name), expected: expected, file)
    }

    /// What is wrong with a field, in other words.
    func problem(_ name: String, _ text: String) -> HuntError {
        .plan(file: file, line: fields[name]?.line ?? line, problem: PlanFields.join(path, name) + ": " + text)
    }

    static func wrong(_ node: YAMLNode, _ place: String, expected: String, _ file: String) -> HuntError {
        let found =
            switch node.content {
            case .scalar(nil): "nothing"
            case .scalar(let text?): "\"\(text.count > 60 ? text.prefix(60) + "…" : text[...])\""
            case .list: "a list"
            case .mapping: "a mapping"
            }
        let problem = (place.isEmpty ? "" : place + ": ") + "expected \(expected), found \(found)"
        return .plan(file: file, line: node.line, problem: problem)
    }

    static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : path + "." + name }
}

internal import CYAML
internal import Glibc

/// A part of a YAML document, with the line on which it begins (from 1).
struct YAMLNode {
    var line: Int
    var content: Content

    enum Content {
        /// The text of a scalar; nil for a plain one that stands for nothing (empty, `~`, `null`).
        case scalar(String?)
        case list([YAMLNode])
        /// In the order of the document, with duplicates.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    /// What is wrong with a text, and where (0: no line can be named).
    struct Problem: Error {
        var line: Int
        var text: String
    }

    /// Reads the only document of a text (YAML 1.1, libyaml).
    ///
    /// Nil for a text without any. Aliases are followed: what one stands for is repeated.
    static func read(_ text: String) throws(Problem) -> YAMLNode? {
        try YAMLSource(text).checkDepth(maximum: NodeReader.maximumDepth)
        let source = YAMLSource(text)
        guard let document = try source.next() else { return nil }
        guard let root = yaml_document_get_root_node(&document.content) else { return nil }
        var reader = NodeReader(document: document)
        let node = try reader.node(root, depth: 0)
        if let second = try source.next() {
            let line = Int(second.content.start_mark.line) + 1
            throw Problem(line: line, text: "a second document begins here; a plan is one")
        }
        return node
    }
}

/// A parser with the text it reads.
private final class YAMLSource {
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) {
        bytes = .allocate(capacity: max(1, text.utf8.count))
        _ = bytes.initialize(from: text.utf8)
        parser.initialize(to: yaml_parser_t())
        precondition(yaml_parser_initialize(parser) == 1, "no memory for a parser")
        yaml_parser_set_input_string(parser, bytes.baseAddress, text.utf8.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        bytes.deallocate()
    }

    /// Reads to the end, and throws where parts stand too deep inside each other.
    ///
    /// libyaml takes quadratic time to load what is nested deep, and makes its nodes before we see the first of them.
    /// What is wrong otherwise is left to `next`.
    func checkDepth(maximum: Int) throws(YAMLNode.Problem) {
        var depth = 0
        var event = yaml_event_t()
        while yaml_parser_parse(parser, &event) == 1 {
            defer { yaml_event_delete(&event) }
            switch event.type {
            case YAML_SEQUENCE_START_EVENT, YAML_MAPPING_START_EVENT: depth += 1
            case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: depth -= 1
            case YAML_STREAM_END_EVENT: return
            default: break
            }
            guard depth <= maximum else {
                let line = Int(event.start_mark.line) + 1
                throw YAMLNode.Problem(line: line, text: "lists and mappings are nested more than \(maximum) deep")
            }
        }
    }

    /// The next document; nil after the last one.
    func next() throws(YAMLNode.Problem) -> YAMLDocument? {
        let document = YAMLDocument()
        guard yaml_parser_load(parser, &document.content) == 1 else {
            let line = Int(parser.pointee.problem_mark.line) + 1
            var text = parser.pointee.problem.map { String(cString: $0) } ?? "no YAML"
            if let context = parser.pointee.context {
                let begin = Int(parser.pointee.context_mark.line) + 1
                text += " " + String(cString: context) + (begin == line ? "" : " that begins in line \(begin)")
            }
            throw YAMLNode.Problem(line: line, text: text)
        }
        return yaml_document_get_root_node(&document.content) == nil ? nil : document
    }
}

private final class YAMLDocument {
    var content = yaml_document_t()

    deinit { yaml_document_delete(&content) }
}

/// Turns libyaml's nodes into ours.
private struct NodeReader {
    let document: YAMLDocument
    private var count = 0

    /// An alias may stand within what it stands for, or for a list of aliases of lists of aliases.
    static let maximumDepth = 32
    private static let maximumNodes = 100_000

    init(document: YAMLDocument) { self.document = document }

    mutating func node(_ node: UnsafePointer<yaml_node_t>, depth: Int) throws(YAMLNode.Problem) -> YAMLNode {
        let line = Int(node.pointee.start_mark.line) + 1
        count += 1
        guard depth < NodeReader.maximumDepth, count < NodeReader.maximumNodes else {
            throw YAMLNode.Problem(line: line, text: "nested too deep, or an alias that repeats too much")
        }
        let data = node.pointee.data
        switch node.pointee.type {
        case YAML_SCALAR_NODE:
            let bytes = UnsafeBufferPointer(start: data.scalar.value, count: data.scalar.length)
            let text = String(decoding: bytes, as: UTF8.self)
            let isNothing = data.scalar.style == YAML_PLAIN_SCALAR_STYLE && ["", "~", "null"].contains(text)
            return YAMLNode(line: line, content: .scalar(isNothing ? nil : text))
        case YAML_SEQUENCE_NODE:
            let items = data.sequence.items
            var list: [YAMLNode] = []
            for item in UnsafeBufferPointer(start: items.start, count: items.top - items.start) {
                list.append(try self.node(at: item, depth: depth + 1))
            }
            return YAMLNode(line: line, content: .list(list))
        case YAML_MAPPING_NODE:
            let pairs = data.mapping.pairs
            var entries: [(key: YAMLNode, value: YAMLNode)] = []
            for pair in UnsafeBufferPointer(start: pairs.start, count: pairs.top - pairs.start) {
                entries.append(
                    (try self.node(at: pair.key, depth: depth + 1), try self.node(at: pair.value, depth: depth + 1))
                )
            }
            return YAMLNode(line: line, content: .mapping(entries))
        default: throw YAMLNode.Problem(line: line, text: "not a scalar, list or mapping")
        }
    }

    private mutating func node(at index: Int32, depth: Int) throws(YAMLNode.Problem) -> YAMLNode {
        guard let pointer = yaml_document_get_node(&document.content, index) else {
            preconditionFailure("a document names a node it has not")
        }
        return try node(pointer, depth: depth)
    }
}

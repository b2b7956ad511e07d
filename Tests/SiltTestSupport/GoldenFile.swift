import Foundation

/// Where a text differs from a file of the folder Golden beside a test's source, a sentence each.
///
/// With SILT_REWRITE_GOLDEN=1 the file is written, which is said as a difference.
package func differences(of text: String, fromGolden name: String, beside source: String = #filePath) throws -> [String]
{
    let url = URL(filePath: source).deletingLastPathComponent().appending(path: "Golden/\(name)")
    if ProcessInfo.processInfo.environment["SILT_REWRITE_GOLDEN"] != nil {
        try text.write(to: url, atomically: true, encoding: .utf8)
        return ["rewrote \(name)"]
    }
    let golden = try String(contentsOf: url, encoding: .utf8)
    let got = text.split(separator: "\n", omittingEmptySubsequences: false)
    let wanted = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let lines = zip(got, wanted).enumerated().filter { $0.element.0 != $0.element.1 }.map { number, pair in
        "\(name):\(number + 1)\n  is     \(pair.0)\n  should \(pair.1)"
    }
    return lines + (got.count == wanted.count ? [] : ["\(name) has \(got.count) lines, should have \(wanted.count)"])
}

/// The files of a folder and those below it that have an ending, by path, with what stands in them.
package func texts(in folder: URL, ending: String) throws -> [(name: String, text: String)] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path())
    return try names.filter { $0.hasSuffix("." + ending) }.sorted().map { name in
        (name, try String(contentsOf: folder.appending(path: name), encoding: .utf8))
    }
}

import SiltFuzzSupport
import SiltJSON
import SiltText

@testable import SiltFindings

/// libFuzzer's entry: any bytes become what users write or keep: a JSON document, a baseline, suppressions, a pattern.
///
/// The first byte says which. They are read or refused with a sentence: a crash or a hang is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
package func readDocument(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 1 else { return 0 }
    let input = UnsafeBufferPointer(start: start, count: count)
    let rest = Array(input.dropFirst())
    switch input[0] % 4 {
    case 0: _ = JSONValue(rest)
    case 1: readBaseline(rest)
    case 2: readBaseline(damaged(baseline, by: rest))
    default:
        let line = Array(rest.prefix { $0 != UInt8(ascii: "\n") })
        let text = Array(rest.dropFirst(line.count + 1))
        readSuppressions(rest, text)
        match(String(decoding: line, as: UTF8.self), String(decoding: text, as: UTF8.self))
    }
    return 0
}

private let file = FuzzFile("document")

private func readBaseline(_ bytes: [UInt8]) {
    file.set(bytes)
    do throws(ReportError) {
        let baseline = try GrowthBaseline(path: file.path)
        try baseline.write(to: file.path)
        let again = try GrowthBaseline(path: file.path)
        precondition(again == baseline, "written and read again it is another baseline")
    } catch {
        precondition(!error.description.isEmpty)
    }
}

private func readSuppressions(_ bytes: [UInt8], _ text: [UInt8]) {
    file.set(bytes)
    var suppressions = Suppressions()
    do throws(ReportError) {
        try suppressions.read(path: file.path)
    } catch {
        precondition(!error.description.isEmpty)
    }
    for entry in suppressions.entries { _ = SuppressionPattern(Array(entry.pattern.utf8)).matches(text) }
}

private func match(_ pattern: String, _ text: String) {
    do throws(PatternError) {
        _ = try ExtendedPattern(pattern).matches(text)
    } catch {
        precondition(!error.description.isEmpty)
    }
}

private let baseline = Array(
    """
    {"format": "silt-baseline", "version": 1, "entries": [
      {"kind": "heap", "phase": "orders", "rate": 101.25, "unit": "bytes/request",
       "stacks": [["order_create order.c", "main main.c"], ["[libshop.so]", "\\u00fc\\n"]]},
      {"kind": "goroutine", "phase": null, "rate": 0, "unit": "objects/round", "stacks": [["open_log"]]}]}
    """.utf8
)

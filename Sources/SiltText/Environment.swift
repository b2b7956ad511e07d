internal import CSiltSystem
internal import Glibc

/// Variables of this process as text without loss (`String(system:)`).
package enum Environment {
    /// The value of a variable; nil when it is not set.
    package static func value(_ name: String) -> String? { getenv(name.system).map { String(system: $0) } }

    /// The same; nil also for a variable without content.
    package static func content(_ name: String) -> String? { value(name).flatMap { $0.isEmpty ? nil : $0 } }

    /// The bytes of every entry, `NAME=value` most of them, in their order.
    package static var entries: [[UInt8]] {
        var result: [[UInt8]] = []
        guard var entry = silt_environment() else { return result }
        while let text = entry.pointee {
            result.append(UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) })
            entry += 1
        }
        return result
    }

    /// All variables with a value; of a name that is there twice, the first.
    package static var variables: [String: String] { variables(of: entries) }

    /// The same of entries of another process.
    package static func variables(of entries: some Sequence<some Collection<UInt8>>) -> [String: String] {
        var result: [String: String] = [:]
        for entry in entries {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(system: entry[..<equals])
            if result[name] == nil { result[name] = String(system: entry[entry.index(after: equals)...]) }
        }
        return result
    }
}

internal import SiltHTTP
internal import SiltPprof
internal import SiltSymbols

/// Puts back what Go's heap profiles leave out of a stack where the runtime keeps the memory for itself.
///
/// Profiles do not show the runtime's frames at the top of a stack (runtime/pprof, writeHeapProto), so that the place in a
/// queue where a goroutine waits looks like an object of the waiting line. The profile as text has all code addresses, and
/// net/http/pprof's /symbol their functions.
struct GoRuntimeFrames {
    /// By code address of a stack's innermost frame: the function that keeps what was allocated there, nil: none.
    private var keepers: [UInt64: String?] = [:]
    private var functions: [UInt64: String] = [:]
    /// False once the service has turned out not to serve what is needed.
    private var isServed = true

    /// Adds the frames to a heap profile that `endpoint` has just served; asks it again where stacks are new.
    mutating func restore(in profile: inout PprofProfile, from endpoint: PprofEndpoint) {
        guard isServed, profile.functions.contains(where: { $0.name.hasPrefix("runtime.") }) else { return }
        let innermost = Set(profile.samples.compactMap(\.locations.first).map { profile.locations[Int($0)].address })
        if innermost.contains(where: { keepers[$0] == nil }) {
            do {
                try learn(from: endpoint)
                for address in innermost where keepers[address] == nil { keepers[address] = .some(nil) }
            } catch {
                // Asked again next time, where it only was not there in time.
                if case .refused = error { isServed = false }
            }
        }
        profile.prependFunctions { keepers[$0] ?? nil }
    }

    private mutating func learn(from endpoint: PprofEndpoint) throws(HTTPError) {
        let stacks = GoHeapStacks.addresses(in: try endpoint.fetchBytes(.heapAsText))
        let unknown = Set(stacks.joined()).filter { functions[$0] == nil }
        functions.merge(try endpoint.fetchFunctions(at: unknown.sorted())) { $1 }
        for stack in stacks {
            let names = stack.map { functions[$0] ?? "" }
            guard let caller = names.firstIndex(where: { !$0.hasPrefix("runtime.") }) else { continue }
            // The text has return addresses, the profile the byte before.
            keepers[stack[caller] &- 1] = names[..<caller].first(where: GoName.keeps)
        }
    }
}

/// Stacks of Go's heap profile as text.
enum GoHeapStacks {
    /// The code addresses of each record, innermost first: what follows the @ in `2: 192 [7: 672] @ 0x43b617 0x44ad4a`.
    static func addresses(in text: [UInt8]) -> [[UInt64]] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let first = line.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard let at = words.firstIndex(of: "@") else { return nil }
            return words[(at + 1)...].compactMap { $0.hasPrefix("0x") ? UInt64($0.dropFirst(2), radix: 16) : nil }
        }
    }
}

internal import Clibdw

/// The compilation units of one file by address: binaries of Swift and clang have no `.debug_aranges`.
struct DebugUnits {
    private struct Span {
        var start: UInt64
        var end: UInt64
        var unit: Int
    }

    private var spans: [Span] = []
    private var highestEnds: [UInt64] = []
    private var units: [DebugUnit] = []

    var isEmpty: Bool { spans.isEmpty }

    init(_ module: OpaquePointer) {
        var die: UnsafeMutablePointer<Dwarf_Die>?
        var bias: Dwarf_Addr = 0
        while true {
            die = dwfl_module_nextcu(module, die, &bias)
            guard let die else { break }
            let number = units.count
            DebugUnit.forEachRange(&die.pointee) { start, end in
                spans.append(Span(start: start &+ bias, end: end &+ bias, unit: number))
            }
            if spans.last?.unit == number { units.append(DebugUnit(die: die.pointee, bias: bias)) }
        }
        spans.sort { $0.start < $1.start }
        var highest: UInt64 = 0
        highestEnds = spans.map {
            highest = max(highest, $0.end)
            return highest
        }
    }

    /// The unit whose code the address is in.
    func unit(at address: UInt64) -> DebugUnit? {
        var low = 0
        var high = spans.count
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        var index = low - 1
        while index >= 0, highestEnds[index] > address {
            if address < spans[index].end { return units[spans[index].unit] }
            index -= 1
        }
        return nil
    }
}

internal import SiltEvents
internal import SiltPprof
internal import SiltRecording
internal import SiltSymbols

/// One address space in which each module of a recording lies once, as profiles need it.
///
/// A recording knows addresses as files number them, the same in all processes. A file that may lie anywhere gets a place
/// of its own here; an executable linked to a fixed place keeps it. What part of a file is code the file itself says,
/// where it can be read; else it is guessed from what was seen of it.
struct AddressLayout {
    private static let page: UInt64 = 4096
    /// Where Linux puts shared libraries.
    private static let firstPlace: UInt64 = 0x7f00_0000_0000
    /// Where ld puts executables with a fixed place, and no others have code.
    private static let fixedPlace: UInt64 = 0x40_0000

    /// What is added to a module's addresses.
    private var bases: Table<ModuleID, UInt64>
    /// What lies there; nil: no frame is in it.
    private(set) var mappings: Table<ModuleID, PprofMapping?>

    init(_ recording: Recording) {
        var ranges = Table<ModuleID, ClosedRange<UInt64>?>(repeating: nil, count: recording.modules.count)
        for frame in recording.frames where frame.module != .none {
            let known = ranges[frame.module] ?? frame.offset...frame.offset
            ranges[frame.module] = min(known.lowerBound, frame.offset)...max(known.upperBound, frame.offset)
        }
        let executables = Set(recording.processes.map(\.executable) + [recording.target.executable])
        bases = Table(repeating: 0, count: recording.modules.count)
        mappings = Table(repeating: nil, count: recording.modules.count)
        var next = Self.firstPlace
        for (index, module) in recording.modules.enumerated() {
            guard let range = ranges[index] else { continue }
            let code =
                CodeSegment(path: module.path, buildID: module.buildID)
                ?? Self.guess(range, isExecutable: executables.contains(module.path))
            let start = code.address & ~(Self.page - 1)
            let end = (max(range.upperBound, code.address &+ code.size) / Self.page + 1) &* Self.page
            if !code.isFixed {
                bases[index] = next
                next = next &+ end &+ Self.page
            }
            mappings[index] = PprofMapping(
                start: bases[index] &+ start,
                end: bases[index] &+ end,
                offset: code.offset & ~(Self.page - 1),
                file: module.path,
                buildID: module.buildID.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            )
        }
    }

    /// As ld lays out files: code lies in the file as it does in memory.
    private static func guess(_ range: ClosedRange<UInt64>, isExecutable: Bool) -> CodeSegment {
        let isFixed = isExecutable && range.lowerBound >= fixedPlace
        return CodeSegment(
            offset: isFixed ? range.lowerBound - fixedPlace : range.lowerBound,
            address: range.lowerBound,
            size: range.upperBound - range.lowerBound,
            isFixed: isFixed
        )
    }

    /// Where a frame is: of a return address the call before it, whose last byte it follows; 0: nowhere.
    func address(of frame: RecordedFrame) -> UInt64 {
        guard !frame.isPlaceholder, frame.offset > 0 else { return 0 }
        let offset = frame.kind == .returnAddress ? frame.offset - 1 : frame.offset
        return frame.module == .none ? offset : bases[frame.module] &+ offset
    }
}

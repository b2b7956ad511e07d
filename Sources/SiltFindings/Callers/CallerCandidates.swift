internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

/// One stack of a site; a class, because lists of them are made anew for each candidate.
final class SitePath {
    /// In `Part.stacks`.
    let member: Int
    let stack: StackID
    let allocatedBytes: Double
    let allocatedCount: Double
    let history: SiteHistory?
    /// Bytes and blocks that stayed while the judge looked.
    var weight = 0.0
    var count = 0.0
    fileprivate let ways: CallerWays
    /// The way outward, in `CallerWays.steps`.
    fileprivate private(set) lazy var way = ways.way(of: stack)

    init(member: Int, stack: StackID, _ counters: RecordedCounters, _ history: SiteHistory?, _ ways: CallerWays) {
        (self.member, self.stack, self.history, self.ways) = (member, stack, history, ways)
        (allocatedBytes, allocatedCount) = (Double(counters.allocatedBytes), Double(counters.allocatedCount))
    }

    /// The same, step by step.
    var steps: [CallerWays.Step] { way.map { ways.steps[Int($0)] } }
}

/// A function, or a line of it, and the stacks that pass through it.
struct CallerCandidate {
    let key: UInt64
    let isLine: Bool
    private(set) var step: CallerWays.Step
    /// Of the function or line.
    fileprivate let number: Int32
    private var heaviest = -1.0
    private(set) var weight = 0.0
    private(set) var count = 0.0
    private(set) var allocated = 0.0
    private var distance = 0.0
    fileprivate private(set) var members = 0
    /// Equal for equal sets of stacks.
    fileprivate private(set) var fingerprint: UInt64 = 0

    /// `number`: that of the function or line, in `CallerWays.StepNumbers`.
    init(_ step: CallerWays.Step, isLine: Bool, number: Int32) {
        (self.step, self.isLine, self.number) = (step, isLine, number)
        key = isLine ? step.line : step.function
    }

    fileprivate mutating func add(_ path: SitePath, _ step: CallerWays.Step, _ distance: Int) {
        if path.weight > heaviest { (self.step, heaviest) = (step, path.weight) }
        weight += path.weight
        count += path.count
        allocated += path.allocatedCount
        self.distance += Double(distance)
        members += 1
        fingerprint &+= (UInt64(path.member) &+ 1) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(path.member) << 20
    }

    fileprivate func isNearer(than other: CallerCandidate) -> Bool {
        if step.isNamed != other.step.isNamed { return step.isNamed }
        // A repair goes where there is source.
        if step.hasLine != other.step.hasLine { return step.hasLine }
        if distance != other.distance { return distance < other.distance }
        if isLine != other.isLine { return !isLine }
        return key < other.key
    }

    /// Fewer blocks that do not stay come first.
    func isPurer(than other: CallerCandidate) -> Bool {
        (allocated, members, key) < (other.allocated, other.members, other.key)
    }
}

extension [SitePath] {
    /// Stacks that callers are looked for in: those that grew or allocated most.
    private static var sampled: Int { 2048 }

    /// One for each distinct set of stacks: the innermost function that has it, one with a name before one without.
    ///
    /// Only those that `isEnough` accepts by what grew in them.
    func candidates(where isEnough: (CallerCandidate) -> Bool) -> [CallerCandidate] {
        guard let ways = first?.ways else { return [] }
        let grown = filter { $0.count > 0 }.most { $0.weight }
        var all: [CallerCandidate] = []
        defer { for candidate in all { ways.candidates[Int(candidate.number)] = 0 } }
        func place(_ number: Int32, of step: CallerWays.Step, isLine: Bool) -> Int {
            if ways.candidates[Int(number)] == 0 {
                all.append(CallerCandidate(step, isLine: isLine, number: number))
                ways.candidates[Int(number)] = Int32(all.count)
            }
            return Int(ways.candidates[Int(number)]) - 1
        }
        for path in grown {
            for (distance, index) in path.way.enumerated() {
                let (step, numbers) = (ways.steps[Int(index)], ways.numbers[Int(index)])
                all[place(numbers.function, of: step, isLine: false)].add(path, step, distance)
                all[place(numbers.line, of: step, isLine: true)].add(path, step, distance)
            }
        }
        let accepted = all.indices.filter { place in
            if isEnough(all[place]) { return true }
            ways.candidates[Int(all[place].number)] = 0
            return false
        }
        guard !accepted.isEmpty else { return [] }
        let others = filter { $0.count == 0 }.most { $0.allocatedCount }
        for path in others {
            for (distance, index) in path.way.enumerated() {
                let (step, numbers) = (ways.steps[Int(index)], ways.numbers[Int(index)])
                let (function, line) = (ways.candidates[Int(numbers.function)], ways.candidates[Int(numbers.line)])
                if function > 0 { all[Int(function) - 1].add(path, step, distance) }
                if line > 0 { all[Int(line) - 1].add(path, step, distance) }
            }
        }
        var bySet: [UInt64: CallerCandidate] = [:]
        for candidate in accepted.lazy.map({ all[$0] }) where candidate.members < grown.count + others.count {
            if let known = bySet[candidate.fingerprint], !candidate.isNearer(than: known) { continue }
            bySet[candidate.fingerprint] = candidate
        }
        return [CallerCandidate](bySet.values)
    }

    /// Those that have most of something, where there are too many to look at.
    private func most(_ value: (SitePath) -> Double) -> [SitePath] {
        count <= Self.sampled ? self : Array(sorted { value($0) > value($1) }.prefix(Self.sampled))
    }

    func parted(by candidate: CallerCandidate) -> (inside: [SitePath], rest: [SitePath]) {
        guard let numbers = first?.ways.numbers else { return ([], []) }
        var (inside, rest): ([SitePath], [SitePath]) = ([], [])
        for path in self {
            let passes = path.way.contains {
                let step = numbers[Int($0)]
                return step.function == candidate.number || step.line == candidate.number
            }
            if passes { inside.append(path) } else { rest.append(path) }
        }
        return (inside, rest)
    }
}

/// What stacks hold and allocated, added up.
struct PathSums {
    /// What is left behind has this share of the blocks, or at least of the bytes in a few blocks.
    private static let (substantialBlocks, substantialBytes) = (0.05, 0.25)
    /// Fewer blocks than these are chance, whatever share they are; of large ones one more is asked for.
    private static let (minimumBlocks, minimumLarge) = (2.0, 3.0)

    private(set) var weight = 0.0
    private(set) var count = 0.0
    private var allocatedCount = 0.0
    private var allocatedBytes = 0.0

    init(_ paths: [SitePath]) {
        for path in paths {
            weight += path.weight
            count += path.count
            allocatedCount += path.allocatedCount
            allocatedBytes += path.allocatedBytes
        }
    }

    /// What stayed, times a share.
    func share(_ share: Double) -> PathSums {
        var part = self
        part.weight *= share
        part.count *= share
        return part
    }

    /// A first look, without the bytes.
    func leavesMuch(besides candidate: CallerCandidate) -> Bool {
        allocatedCount - candidate.allocated
            >= min(Self.minimumLarge, Self.substantialBlocks * candidate.allocated)
    }

    /// Whether this is enough to be compared with what it is left behind by.
    func isMuch(besides taken: PathSums) -> Bool {
        allocatedCount >= max(Self.minimumBlocks, Self.substantialBlocks * taken.allocatedCount)
            || allocatedCount >= Self.minimumLarge
                && allocatedBytes >= Self.substantialBytes * taken.allocatedBytes
    }
}

internal import Glibc
internal import SiltEvents
internal import SiltHeap
internal import SiltRecording
internal import SiltSystem

/// What is open in a process by the kernel's word (/proc/PID/fd, proc_pid_fd(5)), beside what was seen to be opened.
///
/// What is opened by bare system calls, or inside the C library, no hook sees; nor what is closed so.
struct OpenDescriptors {
    struct Found: Equatable {
        /// Numbers that are known, and are closed or stand for something else by now.
        var gone: [UInt64] = []
        /// Numbers that nobody was seen to open.
        var came: [UInt64] = []
        /// How many of those are open, with those of earlier looks.
        var unseen: UInt64 = 0
        /// What is known, where new words were looked for.
        var examples: [HeldExample] = []
    }

    /// Why nothing could be seen; nil while all is well.
    private(set) var failure: Int32?
    /// What was found at the last look; nil before that, and where no limit could be read.
    private(set) var limit: DescriptorLimit?
    /// What was open when recording began, nil before that: the program was born with it, or it is silt's own.
    private var born: Set<UInt64>?
    /// What was seen to be opened, or found, when it was first looked at: by its number.
    private var known: [UInt64: Known] = [:]
    /// Numbers that nobody was seen to open, what they stand for, and how many looks in a row have found that.
    private var strange: [UInt64: (name: Substring, looks: Int)] = [:]
    /// A look may take a fiftieth of a CPU.
    private var clock = LookClock(share: 50)

    private struct Known {
        var serial: UInt64
        /// What it stood for.
        var name: Substring
        /// By the monotonic clock.
        var since: Double
        var stack: StackID
    }

    /// When it was last looked, by the monotonic clock.
    private var lookedAt: Double?

    /// When words for what is open were last looked for, and how much was open then.
    private var worded = (at: -Double.infinity, count: 0)
    /// The kernel's tables of sockets are those of the whole machine: words may take as much again.
    private var wordClock = LookClock(share: 50, period: 0.5)

    /// An opening whose record is on its way is no strange one: these are found in several looks.
    ///
    /// Where such a record comes later all the same, the number is its line's from then on.
    private static let looks = 3
    /// Some were: the program does open what nobody sees, and from then on one look is enough, checked once more.
    private var opensUnseen = false

    /// Remembers what the process has from the start.
    mutating func begin(_ pid: pid_t) {
        guard let names = list(pid) else { return }
        born = Set(names.keys)
        lookedAt = Clock.monotonicSeconds
    }

    var isDue: Bool { clock.isDue }

    /// Nil when nothing can be seen; `live`: what is known to be open, as far as events were read; `isMark`: a round of a
    /// hunt, or its baseline, ends with it, and what came in it belongs there.
    ///
    /// `again`: what is known once more events were read; nil while there are others to read.
    ///
    /// What is opened and closed meanwhile does no harm: a close that is read later, of what is gone already, changes
    /// nothing, and of a number whose events were read meanwhile nothing is said.
    mutating func look(
        _ pid: pid_t,
        live: [UInt64: HeldHandle],
        isMark: Bool,
        again: () -> [UInt64: HeldHandle]?
    ) -> Found? {
        let began = Clock.monotonicSeconds
        clock.begin()
        guard let names = list(pid) else { return nil }
        limit = Self.limit(of: pid, open: names.keys)
        var found = Found()
        var new: [(number: UInt64, serial: UInt64)] = []
        for (number, thing) in live {
            guard let link = names[number] else {
                found.gone.append(number)
                continue
            }
            let name = Self.identity(link)
            if thing.isFound { found.unseen += 1 }
            if let before = known[number], before.serial == thing.serial {
                if before.name != name { found.gone.append(number) }
            } else {
                known[number] = Known(serial: thing.serial, name: name, since: began, stack: thing.stack)
                new.append((number, thing.serial))
            }
        }
        date(new, began)
        for number in known.keys where live[number] == nil { known[number] = nil }
        // What was opened before the first look may be among them.
        let old = (born ?? Set(names.keys)).filter { names[$0] != nil && live[$0] == nil }
        born = old
        let others = names.filter { live[$0.key] == nil && !old.contains($0.key) }
        var (latest, aside) = (live, UInt64(0))
        found.came = strangers(others, isMark: isMark) { news in
            let before = Clock.threadCPUNanoseconds
            let read = again()
            aside = Clock.threadCPUNanoseconds &- before
            guard let now = read else { return [:] }
            latest = now
            return news.filter { number, name in
                now[number] == nil && linkTarget("/proc/\(pid)/fd/\(number)").map(Self.identity) == name
            }
        }
        found.gone.removeAll { latest[$0]?.serial != live[$0]?.serial }
        found.came.removeAll { latest[$0] != nil }
        found.unseen += UInt64(found.came.count)
        clock.end(aside: aside)
        if isWorthWords(began) {
            wordClock.begin()
            found.examples = examples(names, of: pid)
            wordClock.end()
        }
        return found
    }

    /// Programs change their limit at any time; numbers beyond it, which were open before, take none of it.
    private static func limit(of pid: pid_t, open: some Sequence<UInt64>) -> DescriptorLimit? {
        let lines = (FileBytes.read(ifThere: "/proc/\(pid)/limits") ?? []).split(separator: UInt8(ascii: "\n"))
        let line = lines.first { $0.starts(with: "Max open files".utf8) }
        let soft = line?.split(separator: UInt8(ascii: " ")).dropFirst(3).first
        return soft.flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }.map { limit in
            DescriptorLimit(limit: limit, open: UInt64(open.count { $0 < limit }))
        }
    }

    /// What was opened since the last look, which may be long ago, came evenly and in this order.
    private mutating func date(_ new: [(number: UInt64, serial: UInt64)], _ now: Double) {
        let before = lookedAt ?? now
        for (index, thing) in new.sorted(by: { $0.serial < $1.serial }).enumerated() {
            known[thing.number]?.since = before + (now - before) * Double(index + 1) / Double(new.count)
        }
        lookedAt = now
    }

    /// Those of the numbers that nobody was seen to open; `remaining`: which of some are still so after more events were read.
    private mutating func strangers(
        _ names: [UInt64: String],
        isMark: Bool,
        remaining: ([UInt64: Substring]) -> [UInt64: Substring]
    ) -> [UInt64] {
        var came: [UInt64] = []
        var now: [UInt64: (name: Substring, looks: Int)] = [:]
        for (number, link) in names {
            let name = Self.identity(link)
            let before = strange[number]
            let looks = before?.name == name ? (before?.looks ?? 0) + 1 : 1
            if looks >= Self.looks { came.append(number) } else { now[number] = (name, looks) }
        }
        opensUnseen = opensUnseen || !came.isEmpty
        if isMark || opensUnseen, !now.isEmpty {
            for number in remaining(now.mapValues(\.name)).keys {
                now[number] = nil
                came.append(number)
            }
        }
        strange = now
        return came
    }

    // MARK: What they are

    /// Stacks whose descriptors are put into words, and how many one must have.
    private static let (maximumWorded, minimumOpen) = (32, 3)
    /// Seconds after which there are new words for what has not changed in number.
    private static let wordsLast = 5.0

    private func isWorthWords(_ now: Double) -> Bool {
        guard known.count >= Self.minimumOpen, wordClock.isDue else { return false }
        return known.count != worded.count || now - worded.at >= Self.wordsLast
    }

    /// The descriptor in the middle by age, for each of the stacks that hold most; `names`: what stands for what.
    ///
    /// What opens a listener once, and leaks what it opens for each request, has the listener as its oldest.
    private mutating func examples(_ names: [UInt64: String], of pid: pid_t) -> [HeldExample] {
        worded = (Clock.monotonicSeconds, known.count)
        var stacks: [StackID: [(serial: UInt64, number: UInt64)]] = [:]
        for (number, thing) in known where names[number].map(Self.identity) == thing.name {
            stacks[thing.stack, default: []].append((thing.serial, number))
        }
        let most = stacks.filter { $0.value.count >= Self.minimumOpen }
            .sorted { ($0.value.count, $1.key.rawValue) > ($1.value.count, $0.key.rawValue) }.prefix(Self.maximumWorded)
        let links = most.compactMap { _, things in
            let number = things.sorted { $0.serial < $1.serial }[things.count / 2].number
            return names[number].map { (number, $0) }
        }
        let inodes = Set(links.compactMap { DescriptorWords.inode(ofSocket: $1) })
        let sockets = inodes.isEmpty ? [:] : DescriptorWords.sockets(inodes, of: pid)
        return links.map { number, link in
            let words = DescriptorWords.words(link, sockets: sockets)
            return HeldExample(handle: number, kind: words.kind, text: words.text, since: known[number]?.since ?? 0)
        }
    }

    /// A path may change while the file is open: it only counts that it is one.
    private static func identity(_ link: String) -> Substring { link.hasPrefix("/") ? "/" : link[...] }

    /// What each open number stands for; nil where nothing can be said.
    ///
    /// A process that has none at all is about to end, or its first thread has.
    private mutating func list(_ pid: pid_t) -> [UInt64: String]? {
        let folder = "/proc/\(pid)/fd"
        guard let stream = opendir(folder) else {
            // A process that is gone has none.
            if errno != ENOENT, errno != ESRCH { failure = errno }
            return nil
        }
        defer { closedir(stream) }
        var names: [UInt64: String] = [:]
        var buffer = [CChar](repeating: 0, count: 256)
        while let entry = readdir(stream) {
            let digits = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let number = UInt64(digits) else { continue }
            let length = readlinkat(dirfd(stream), digits, &buffer, buffer.count)
            guard length > 0 else { continue }
            names[number] = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        // One that ended meanwhile was read in part: then nothing of it is there any more.
        let isThere = names.keys.prefix(3).contains { readlinkat(dirfd(stream), "\($0)", &buffer, buffer.count) > 0 }
        return isThere ? names : nil
    }
}

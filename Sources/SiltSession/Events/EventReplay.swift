internal import CSiltSystem
internal import CSiltWire
internal import Glibc
internal import SiltEvents
internal import SiltHeap
internal import SiltRecording
internal import SiltSymbols
internal import SiltText

/// Makes the recording of a trace again, out of the raw stream it kept (`silt run --events`).
///
/// Each image gets a memory file again, as its shim had one: the stream's records are put into its rings and read from
/// there by the code that reads those of a running program.
package final class EventReplay {
    private let output: RecordingOutput
    private let stacks: StackTable
    private let blame: BlameKeys
    /// In order of appearance.
    private var images: [TracedImage] = []
    private var outcome = TraceOutcome()
    private var time = 0.0
    private var scale = SnapshotScale.even

    /// Replays an event file into a new recording; returns what the user should know about it, a sentence each.
    ///
    /// Throws when the file cannot be opened or is not an event file. A file that is cut gives the recording of what comes
    /// before that, and a note. One that is damaged further on gives that of the processes that lost nothing by it; those
    /// that did end there.
    package static func run(events: String, recording: String, hide: [String], siltVersion: String) throws -> [String] {
        var reader = try RawStreamReader(path: events)
        var options = TraceOptions(recording: recording)
        options.siltVersion = siltVersion
        options.hide = hide
        let replay = try EventReplay(options)
        var problem: String?
        do {
            while let item = try reader.next() { try replay.apply(item, reader.payload) }
        } catch let error as RawStreamError {
            problem = "\(error)"
        } catch let error as ReplayError {
            problem = "\(events): \(error)"
        }
        if let problem {
            replay.outcome.notes.append("\(problem); what comes before it, \(replay.reach), is reported")
        }
        if let note = replay.damage.note(events) { replay.outcome.notes.append(note) }
        if !reader.hasChecksums {
            replay.outcome.notes.append("\(events) has no checksums: what is damaged in it may not be seen")
        }
        try replay.finish()
        return replay.outcome.notes
    }

    private init(_ options: TraceOptions) throws {
        let symbolizer = Symbolizer()
        let stacks = StackTable()
        blame = BlameKeys(stacks: stacks, symbolizer: symbolizer, wrappers: try AllocatorFrames(hide: options.hide))
        self.stacks = stacks
        output = try RecordingOutput(options: options, stacks: stacks, symbolizer: symbolizer, blame: blame)
    }

    /// How far the replay has come.
    private var reach: String {
        let events = finishedEvents + images.reduce(0) { $0 + $1.decoder.counts.blockEvents }
        return "\(events) events of \((time * 10).rounded() / 10) s"
    }
    private var finishedEvents: UInt64 = 0
    /// A snapshot, at `time`, and the images that it was taken of.
    private var unwritten: (item: RawStreamItem, images: [TracedImage])?
    private var damage = EventFileDamage()
    /// Images whose events end at a damaged part, or that began there: what the file says of them later is skipped.
    private var stopped: Set<UInt64> = []

    enum ReplayError: Error, CustomStringConvertible {
        case unknownImage(UInt64)
        case badImage(UInt64)
        case outOfOrder(slot: Int, offset: UInt64)
        case system(String)

        var description: String {
            switch self {
            case .unknownImage(let image): "image \(image) was never announced"
            case .badImage(let image): "image \(image) is announced badly"
            case .outOfOrder(let slot, let offset): "slot \(slot), byte \(offset): not what comes next"
            case .system(let call): "\(call): \(errorText(errno))"
            }
        }
    }

    private func apply(_ item: RawStreamItem, _ payload: [UInt8]) throws {
        if let id = item.imageOfPart,
            stopped.contains(id) || damage.lostChunks && !images.contains(where: { $0.id == id })
        {
            damage.skippedChunks += 1
            return
        }
        // Intervals in which nothing was born end with the one before.
        if unwritten?.item != item { try writeSnapshot() }
        switch item {
        case .damage(let part): try skip(part)
        case .trace: try begin(payload)
        case .image(let id, let nanoseconds):
            note(nanoseconds)
            let image = try makeImage(id, payload)
            images.append(image)
            output.meet(replayed: image)
            outcome.traced += 1
            try output.begin(image)
        case .modules(let id, let offset):
            guard try image(id).shared.appendModules(payload, at: offset) else { throw ReplayError.badImage(id) }
        case .records(let id, let slot, let offset):
            guard try image(id).replay(payload, slot: slot, at: offset) else {
                throw ReplayError.outOfOrder(slot: slot, offset: offset)
            }
        case .gap(let id, let gap): try image(id).replay(gap)
        case .threads(let id): try image(id).endThreads(Self.words(payload))
        case .snapshot(let nanoseconds):
            note(nanoseconds)
            setResidents(payload)
            // Those that it was taken of.
            let words = Self.words(payload)
            let taken = Set(stride(from: 0, to: words.count - 1, by: 2).map { words[$0] })
            let due = images.filter { taken.contains($0.id) }
            for image in due { image.closeInterval() }
            if unwritten == nil { unwritten = (item, due) }
        case .descriptors(let id, let unseen):
            try image(id).apply(OpenDescriptors.Found(gone: Self.words(payload), unseen: unseen))
        case .found(let id, let number):
            guard let resource = Resource(rawValue: UInt8(clamping: number)), resource.mayBeFound else { break }
            try image(id).apply(FoundThings(words: Self.words(payload)), of: resource)
        case .example(let id, let handle):
            let words = Self.words(payload)
            let texts = payload.dropFirst(16).split(separator: 0, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard words.count >= 2, texts.count >= 2, let resource = Resource(rawValue: UInt8(clamping: words[0]))
            else { break }
            let since = Double(words[1]) / 1e9
            let example = HeldExample(handle: handle, kind: texts[0], text: texts[1], since: since)
            try image(id).apply(example, of: resource)
        case .end(let id, let nanoseconds):
            note(nanoseconds)
            try end(id, payload)
        case .exit(let nanoseconds):
            note(nanoseconds)
            let words = Self.words(payload)
            if words.count >= 3 {
                if case .status(let status) = ImageEnd(packed: words[0]) { outcome.exit = status }
                outcome.commandCPUNanoseconds = words[1]
                outcome.commandPeakBytes = words[2]
            }
        }
    }

    private func writeSnapshot() throws {
        if let (_, images) = unwritten { try output.snapshot(images, at: time, evenIfEarly: true) }
        unwritten = nil
    }

    /// Goes on behind a damaged part: without the images that may have lost something there.
    private func skip(_ part: RawStreamDamage) throws {
        damage.add(part)
        guard part.chunks > 0 else { return }
        let losers = images.filter { part.image == nil || part.image == $0.id }
        for image in losers {
            stopped.insert(image.id)
            outcome.notes.append(
                "process \(image.pid): its events end at \((time * 10).rounded() / 10) s, where the file is damaged"
            )
            try cut(image)
        }
    }

    private func note(_ nanoseconds: UInt64) { time = Double(nanoseconds) / 1e9 }

    private func begin(_ payload: [UInt8]) throws {
        let texts = payload.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
        guard texts.count >= 4 else { return }
        var target = RecordedTarget(command: Array(texts[4...]))
        (target.siltVersion, target.kernel) = (texts[0], texts[1])
        let period = texts[2].split(separator: "/")
        target.snapshotPeriodNs = period.first.flatMap { UInt64($0) } ?? 0
        let maximumStep = period.count > 1 ? UInt32(period[1]) ?? 1 : 1
        scale = SnapshotScale(maximumStep: maximumStep)
        target.startUnixNs = UInt64(texts[3]) ?? 0
        try output.replay(target, maximumStep: maximumStep)
    }

    private func image(_ id: UInt64) throws(ReplayError) -> TracedImage {
        guard let image = images.first(where: { $0.id == id }) else { throw .unknownImage(id) }
        return image
    }

    /// A memory file with the header and texts of the payload, and an image that reads it.
    private func makeImage(_ id: UInt64, _ payload: [UInt8]) throws -> TracedImage {
        guard payload.count >= MemoryLayout<silt_header>.size, payload.count <= Int(SILT_MODULES_OFFSET),
            !images.contains(where: { $0.id == id })
        else { throw ReplayError.badImage(id) }
        var header = payload.withUnsafeBytes { $0.loadUnaligned(as: silt_header.self) }
        guard header.magic == SILT_MAGIC, header.image == id else { throw ReplayError.badImage(id) }
        header.slot_count = 0
        header.modules_bytes = 0
        let file = silt_memory_file("silt-replay")
        guard file >= 0 else { throw ReplayError.system("memfd_create") }
        var whole = payload
        whole.withUnsafeMutableBytes { $0.storeBytes(of: header, as: silt_header.self) }
        guard ftruncate(file, Int(SILT_BLOCKS_OFFSET)) == 0,
            pwrite(file, whole, whole.count, 0) == whole.count
        else {
            close(file)
            throw ReplayError.system("writing a memory file")
        }
        let hello = Hello(
            image: id,
            version: header.version,
            pid: pid_t(bitPattern: header.pid),
            pipe: -1,
            memory: file
        )
        return TracedImage(
            hello: hello,
            isReplayed: true,
            shared: try SharedImage(file: file),
            stacks: stacks,
            groupOf: blame.key,
            scale: scale,
            at: time
        )
    }

    private func setResidents(_ payload: [UInt8]) {
        let words = Self.words(payload)
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            images.first { $0.id == words[index] }?.setResidentBytes(words[index + 1])
        }
    }

    private func end(_ id: UInt64, _ payload: [UInt8]) throws {
        let image = try image(id)
        let words = Self.words(payload)
        guard payload.count >= 24 + MemoryLayout<silt_header>.size else { throw ReplayError.badImage(id) }
        image.setResidentBytes(words[1])
        let last = payload.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 24, as: silt_header.self) }
        image.replaceCounters(last, sentEvents: words[2])
        try end(image, ImageEnd(packed: words[0]))
    }

    private func end(_ image: TracedImage, _ how: ImageEnd) throws {
        image.drain(ended: true)
        image.closeInterval()
        images.removeAll { $0.id == image.id }
        finishedEvents += image.decoder.counts.blockEvents
        if let damage = image.damage {
            outcome.notes.append("process \(image.pid): the rest of its events could not be read (\(damage))")
        }
        try output.end(image, how: how, at: time)
    }

    private func finish() throws {
        try writeSnapshot()
        for image in images { try cut(image) }
        try output.close(outcome, at: time)
    }

    /// Ends an image whose last chunk is not there: what arrived is all that is known.
    private func cut(_ image: TracedImage) throws {
        var header = image.shared.header
        header.off_reason = UInt32(TrustCounters.StopReason.eventFileEnds.rawValue)
        image.replaceCounters(header, sentEvents: image.decoder.counts.eventRecords)
        try end(image, .stillRunning)
    }

    private static func words(_ bytes: [UInt8]) -> [UInt64] {
        bytes.withUnsafeBytes { all in
            (0..<all.count / 8).map { all.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
    }
}

/// Whether a file begins like an event file; false too when it cannot be read.
package func isEventFile(_ path: String) -> Bool { RawStream.isEventFile(path) }

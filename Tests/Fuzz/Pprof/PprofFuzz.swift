import SiltFuzzSupport
import SiltPprof
import SiltProfiles

/// libFuzzer's entry: any bytes become a profile, which is read, summed, written and read again.
///
/// The first byte says how: 0, they are the file; 1, they damage a plain profile; 2, such a one is gzipped afterwards;
/// 3, they damage a gzipped one. With its highest bit set, what is read becomes a recording too. A profile is read
/// or refused with a sentence: a crash, a hang or a profile that changes when it is written is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
package func profileAnything(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 1 else { return 0 }
    let input = UnsafeBufferPointer(start: start, count: count)
    let rest = input.dropFirst()
    do throws(PprofError) {
        switch input[0] & 3 {
        case 0: try read(Array(rest), alsoRecorded: input[0] & 0x80 != 0)
        case 1: try read(damaged(plain, by: rest), alsoRecorded: input[0] & 0x80 != 0)
        case 2: try read(Gzip.compressed(damaged(plain, by: rest)), alsoRecorded: input[0] & 0x80 != 0)
        default: try read(damaged(compressed, by: rest), alsoRecorded: input[0] & 0x80 != 0)
        }
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}

private func read(_ bytes: [UInt8], alsoRecorded: Bool) throws(PprofError) {
    var limits = PprofLimits()
    limits.bytes = 1 << 20
    limits.records = 100_000
    let profile = try PprofProfile(reading: bytes, limits: limits)
    for sample in profile.samples { precondition(profile.frames(of: sample).count >= 0) }
    let again = try PprofProfile(reading: try profile.plain())
    precondition(again == profile, "written and read again it is another profile")
    let inUse = try profile.inUse()
    for stack in inUse.stacks { precondition(inUse.names(of: stack).count == stack.symbols.count) }
    _ = try profile.allocated()
    guard alsoRecorded else { return }
    profileFile.set(bytes)
    recordingFile.remove()
    do {
        try writeRecording(ofProfile: profileFile.path, to: recordingFile.path, siltVersion: "fuzz")
    } catch {
        precondition(!"\(error)".isEmpty)
    }
}

private let profileFile = FuzzFile("profile")
private let recordingFile = FuzzFile("recording.silt")

/// A profile with every field in use.
private let base: PprofProfile = {
    var header = PprofProfile()
    header.sampleTypes = [
        PprofValueType(type: "alloc_objects", unit: "count"), PprofValueType(type: "alloc_space", unit: "bytes"),
        PprofValueType(type: "inuse_objects", unit: "count"), PprofValueType(type: "inuse_space", unit: "bytes"),
    ]
    header.defaultSampleType = "inuse_space"
    header.periodType = PprofValueType(type: "space", unit: "bytes")
    header.period = 524_288
    header.timeNanos = 1_764_000_000_000_000_000
    header.comments = ["made to be damaged"]
    (header.dropFrames, header.keepFrames, header.documentationURL) = ("malloc", "free", "https://example.org")
    var builder = PprofBuilder(header)
    let program = builder.add(PprofMapping(start: 0x40_0000, end: 0x48_0000, offset: 0x1000, file: "/srv/shop"))
    var inlined = PprofFrame("shop.Make", file: "shop.go", line: 12, address: 0x40_1234, mapping: program)
    inlined.isInlined = true
    let order = PprofFrame("shop.Order", file: "shop.go", line: 40, address: 0x40_1234, mapping: program)
    let main = PprofFrame("main.main", file: "main.go", line: 9, address: 0x40_0100, mapping: program)
    let labels = [PprofLabel(key: "bytes", value: .number(96, unit: "bytes"))]
    builder.add(stack: [inlined, order, main], values: [10, 960, 2, 192], labels: labels)
    builder.add(stack: [order, main], values: [1, 4000, 1, 4000])
    builder.add(stack: [PprofFrame(address: 0x40_2000, mapping: program), main], values: [-3, .min, 3, 24])
    return builder.profile
}()

private let (plain, compressed): ([UInt8], [UInt8]) = {
    do throws(PprofError) {
        return (try base.plain(), try base.gzipped())
    } catch {
        preconditionFailure("\(error)")
    }
}()

import SiltTestNumbers
import SiltTestSupport
import Testing

@testable import SiltPprof

struct HostileInputTests {
    @Test func aFileCutAnywhereIsTruncated() throws {
        let file = try smallProfile().gzipped()
        for length in 2..<file.count {
            #expect(throws: PprofError.truncated(bytes: length)) { try PprofProfile(reading: Array(file[..<length])) }
        }
    }

    @Test func aPlainProfileCutAnywhereIsRefusedOrWhole() throws {
        let plain = try smallProfile().plain()
        for length in 0..<plain.count {
            let part = Array(plain[..<length])
            do throws(PprofError) {
                expectSound(try PprofProfile(reading: part))
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func randomBytesAreRefused(seed: UInt64) {
        var numbers = SeededGenerator(seed: seed)
        for length in [1, 2, 3, 10, 100, 1000, 10_000] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            #expect(throws: PprofError.self) { try PprofProfile(reading: bytes) }
            #expect(throws: PprofError.self) { try PprofProfile(reading: [0x1f, 0x8b] + bytes) }
        }
    }

    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func changedBytesAreRefusedOrGiveAWholeProfile(seed: UInt64) throws {
        var numbers = SeededGenerator(seed: seed)
        let plain = try randomProfile(seed: seed).plain()
        for _ in 0..<50 {
            var changed = plain
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                changed[Int.random(in: 0..<changed.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
            }
            do throws(PprofError) {
                expectSound(try PprofProfile(reading: changed))
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    /// A few bits of the compression mean nothing, and leave the content as it was.
    @Test func aChangedByteInAGzippedFileNeverGivesAnotherProfile() throws {
        let file = try smallProfile().gzipped()
        var found = 0
        for position in 10..<file.count {
            var changed = file
            changed[position] ^= 0x20
            do throws(PprofError) {
                #expect(try PprofProfile(reading: changed) == smallProfile(), "at \(position)")
            } catch {
                found += 1
            }
        }
        #expect(found > file.count - 20)
    }

    /// What each lie about the tables gives.
    @Test(arguments: Lie.all)
    func liesAreNamed(_ lie: Lie) throws {
        var message = try ProfileMessage.decoded(smallProfile().plain())
        lie.tell(&message)
        let bytes: [UInt8] = try message.serializedBytes()
        #expect(throws: lie.error) { try PprofProfile(reading: bytes) }
    }

    @Test func smallFilesCannotFillTheMemory() throws {
        var limits = PprofLimits()
        limits.bytes = 1 << 20
        let zeros = try Gzip.deflated([UInt8](repeating: 0, count: 64 << 20))
        #expect(zeros.count < 1 << 17)
        #expect(throws: PprofError.tooLarge(limit: 1 << 20, unit: "bytes")) {
            try PprofProfile(reading: zeros, limits: limits)
        }
        limits.records = 1000
        let emptySamples = (0..<1001).flatMap { _ in [0x12, 0x00] as [UInt8] }
        #expect(throws: PprofError.tooLarge(limit: 1000, unit: "records")) {
            try PprofProfile(reading: emptySamples, limits: limits)
        }
        limits.frames = 100
        var deep = smallProfile()
        deep.samples[0].locations = [UInt32](repeating: 0, count: 51)  // two lines each
        let bytes = try deep.gzipped()
        #expect(throws: PprofError.tooLarge(limit: 100, unit: "frames in one stack")) {
            try PprofProfile(reading: bytes, limits: limits)
        }
    }

    @Test(arguments: [
        ("", "it is empty"), ("<!doctype html>", "it is an HTML or XML page; the address ends in /debug/pprof"),
        ("{\"a\":1}", "it is JSON"), ("SQLite format 3\0", "it is an SQLite database, perhaps a silt recording"),
        (
            "heap profile: 1: 8 [1: 8] @ heap/1048576",
            "it is a profile in text form; take it without debug=1, or convert it with `go tool pprof -proto`"
        ), ("404 page not found\n", "its first bytes are no record of one"),
        ("\u{1}\u{2}", "its first bytes are no record of one"), ("\u{18}\u{2}", "it lists no sample types"),
    ])
    func otherFilesAreNamed(_ content: String, _ what: String) throws {
        #expect(throws: PprofError.notAProfile(what)) { try PprofProfile(reading: Array(content.utf8)) }
        #expect(throws: PprofError.notAProfile(what)) { try PprofProfile(reading: Gzip.deflated(Array(content.utf8))) }
    }

    @Test func aSecondEmptyTextIsNoTextOfALabel() throws {
        var message = try ProfileMessage.decoded(smallProfile().plain())
        message.stringTable.append("")
        message.sample[0].label[1].str = Int64(message.stringTable.count - 1)
        let profile = try PprofProfile(reading: message.serializedBytes())
        #expect(profile.samples[0].labels[1] == PprofLabel(key: "route", value: .number(0, unit: "")))
        #expect(try PprofProfile(reading: profile.gzipped()) == profile)
    }

    @Test func bytesAfterTheContentAreNoted() throws {
        let file = try smallProfile().gzipped() + [0, 0]
        #expect(throws: PprofError.damaged("2 bytes follow its compressed content")) { try PprofProfile(reading: file) }
    }

    /// Whatever was read can be looked at, written and read again.
    private func expectSound(_ profile: PprofProfile) {
        for sample in profile.samples { _ = profile.frames(of: sample) }
        do throws(PprofError) {
            #expect(try PprofProfile(reading: try profile.gzipped()) == profile)
        } catch {
            Issue.record("it was read once, now: \(error)")
        }
        do throws(PprofError) {
            let inUse = try profile.inUse()
            #expect(inUse.stacks.allSatisfy { $0.bytes != 0 || $0.count != 0 || !$0.symbols.isEmpty })
        } catch {
            #expect(!error.description.isEmpty)
        }
    }
}

/// One thing said wrongly in an otherwise proper profile, and the error it must give.
struct Lie: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var error: PprofError
    var tell: @Sendable (inout Perftools_Profiles_Profile) -> Void

    static let all = [
        Lie(testDescription: "text beyond the table", error: .badReference(.text, id: 99)) { $0.function[0].name = 99 },
        Lie(testDescription: "negative text", error: .badReference(.text, id: .max)) { $0.comment[0] = -1 },
        Lie(testDescription: "text of a label", error: .badReference(.text, id: 77)) { $0.sample[0].label[1].str = 77 },
        Lie(testDescription: "no such location", error: .badReference(.location, id: 50)) {
            $0.sample[1].locationID[0] = 50
        },
        Lie(testDescription: "location 0", error: .badReference(.location, id: 0)) { $0.sample[1].locationID[0] = 0 },
        Lie(testDescription: "no such mapping", error: .badReference(.mapping, id: 9)) { $0.location[0].mappingID = 9 },
        Lie(testDescription: "no such function", error: .badReference(.function, id: .max)) {
            $0.location[0].line[0].functionID = .max
        },
        Lie(testDescription: "no function", error: .badReference(.function, id: 0)) {
            $0.location[0].line[0].functionID = 0
        },
        Lie(testDescription: "two locations 1", error: .badID(.location, id: 1)) { $0.location[1].id = 1 },
        Lie(testDescription: "mapping 0", error: .badID(.mapping, id: 0)) { $0.mapping[0].id = 0 },
        Lie(testDescription: "too few values", error: .wrongValueCount(sample: 2, found: 3, expected: 4)) {
            $0.sample[2].value.removeLast()
        },
        Lie(testDescription: "too many values", error: .wrongValueCount(sample: 0, found: 5, expected: 4)) {
            $0.sample[0].value.append(1)
        },
        Lie(
            testDescription: "no empty text",
            error: .damaged("its table of texts does not begin with the empty one")
        ) { $0.stringTable[0] = "x" },
        Lie(testDescription: "no texts", error: .damaged("its table of texts does not begin with the empty one")) {
            $0.stringTable = []
        },
        Lie(testDescription: "no sample types", error: .notAProfile("it lists no sample types")) {
            $0.sampleType = []
        },
    ]
}

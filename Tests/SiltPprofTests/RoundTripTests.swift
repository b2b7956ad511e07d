import Foundation
import SiltTestSupport
import Testing

@testable import SiltPprof

struct RoundTripTests {
    @Test func whatIsWrittenIsReadAgain() throws {
        let profile = smallProfile()
        #expect(try PprofProfile(reading: profile.gzipped()) == profile)
        #expect(try PprofProfile(reading: profile.plain()) == profile)
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func randomProfilesAreReadAgain(seed: UInt64) throws {
        let profile = randomProfile(seed: seed)
        #expect(try PprofProfile(reading: profile.gzipped()) == profile)
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func stacksBuiltAgainFromTheirFramesAreTheSame(seed: UInt64) {
        let profile = randomProfile(seed: seed)
        var builder = PprofBuilder(profile)
        for mapping in profile.mappings { _ = builder.add(mapping) }
        for sample in profile.samples {
            builder.add(stack: profile.frames(of: sample), values: sample.values, labels: sample.labels)
        }
        for (sample, original) in zip(builder.profile.samples, profile.samples) {
            #expect(builder.profile.frames(of: sample) == profile.frames(of: original))
        }
        #expect(builder.profile.samples == profile.samples)
        #expect(builder.profile.locations == profile.locations)
    }

    @Test func functionsLocationsAndTextsAreStoredOnce() throws {
        var builder = PprofBuilder(smallProfile())
        let stack = [PprofFrame("leaf", file: "a.c", line: 3, address: 16), PprofFrame("main", file: "a.c", line: 9)]
        for count in 1...1000 { builder.add(stack: stack, values: [Int64(count), 1, 1, 1]) }
        #expect(builder.profile.samples.count == 1000)
        #expect(builder.profile.locations.count == 2)
        #expect(builder.profile.functions.count == 2)
        let texts = try ProfileMessage.decoded(builder.profile.plain()).stringTable
        #expect(Set(texts).count == texts.count)
        #expect(texts.first == "")
    }

    @Test func inlinedFramesShareALocation() throws {
        let profile = smallProfile()
        #expect(profile.samples[0].locations.count == 2)
        let frames = profile.frames(of: profile.samples[0])
        #expect(frames.map(\.function.name) == ["shop.Make", "shop.Order", "main.main"])
        #expect(frames.map(\.isInlined) == [true, false, false])
        #expect(frames.map(\.address) == [0x40_1234, 0x40_1234, 0x40_0100])
        #expect(profile.mappings.map(\.hasFunctions) == [true, false])
        #expect(profile.mappings.map(\.hasInlineFrames) == [true, false])
    }

    @Test func equalProfilesGiveEqualFiles() throws {
        #expect(try smallProfile().gzipped() == smallProfile().gzipped())
    }

    /// gzip is the oracle for the file, protoc with our definition for its content.
    @Test func gzipAndProtocReadWhatIsWritten() throws {
        let folder = try ScratchFolder()
        try Data(smallProfile().gzipped()).write(to: URL(filePath: folder.file("small.pb.gz")))
        let definition = packageRoot.appending(path: "Sources/SiltPprof")
        let decoded = try runProgram([
            "sh", "-c",
            "gzip -t \"$1\" && gzip -dc \"$1\" | protoc -I \"$2\" --decode perftools.profiles.Profile profile.proto",
            "sh", folder.file("small.pb.gz"), definition.path(),
        ])
        #expect(decoded.status == 0, "\(decoded.errors)")
        for line in [
            "period: 524288", "value: -9223372036854775808", "memory_limit: 18446744073709551615", "column: 7",
        ] {
            #expect(decoded.output.contains(line))
        }
        #expect(decoded.output.components(separatedBy: "sample {").count == 4)
        #expect(decoded.output.components(separatedBy: "location {").count == 5)
    }

    @Test func membersOfAGzipFileAreReadOneAfterTheOther() throws {
        let plain = try smallProfile().plain()
        let half = plain.count / 2
        let members = try Gzip.deflated(Array(plain[..<half])) + Gzip.deflated(Array(plain[half...]))
        #expect(try PprofProfile(reading: members) == smallProfile())
    }
}

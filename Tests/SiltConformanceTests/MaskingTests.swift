import SiltTestSupport
import Testing

@testable import silt_conformance

/// What may differ between a native and a traced run: only what differs between native runs.
struct MaskingTests {
    @Test func whatIsTheSameNativelyMustBeTheSame() {
        let masking = Masking(["pid 7\nend\n", "pid 7\nend\n"])
        #expect(!masking.isNeeded)
        #expect(masking.difference(in: "pid 7\nend\n") == nil)
        #expect(masking.difference(in: "pid 8\nend\n") != nil)
        #expect(masking.difference(in: "pid 7\nend\nmore\n") == "not printed natively: more")
        #expect(masking.difference(in: "pid 7\nend") != nil)
        #expect(masking.difference(in: "end\npid 7\n") != nil)
    }

    @Test func numbersAreMaskedInLinesThatDifferNatively() {
        let masking = Masking(["start\npid 7 at 0x7f10\nend\n", "start\npid 9 at 0x7e01\nend\n"])
        #expect(masking.isNeeded)
        #expect(masking.difference(in: "start\npid 12 at 0xabc1\nend\n") == nil)
        #expect(masking.difference(in: "start\npid 12 of 0xabc1\nend\n") == "not printed natively: pid 12 of 0xabc1")
        #expect(masking.difference(in: "start\npid 1 at 2\npid 3 at 4\nend\n") == "not printed natively: pid 3 at 4")
        #expect(masking.difference(in: "pid 12 at 0xabc1\nend\n") == "line 1 of 3 is missing: start")
    }

    @Test func linesThatChangePlacesNativelyMayDoSo() {
        let masking = Masking(["a\nb\nc\n", "b\na\nc\n"])
        #expect(masking.difference(in: "a\nb\nc\n") == nil)
        #expect(masking.difference(in: "b\na\nc\n") == nil)
        #expect(masking.difference(in: "b\na\n") != nil)
    }

    @Test func theShortFormNeedsNothingBeyondThePackagesOfTheTests() {
        #expect(Set(Program.all.map(\.name)).count == Program.all.count)
        let needs = Program.all.filter(\.isQuick).flatMap(\.needs)
        #expect(needs.filter { packagesOfPrograms[$0] == nil } == [])
        #expect(needs.count > 10)
    }
}

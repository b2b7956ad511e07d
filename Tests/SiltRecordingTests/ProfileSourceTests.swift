import Testing

@testable import SiltRecording

@Suite struct ProfileSourceTests {
    @Test(arguments: [
        "profiles of http://127.0.0.1:6060/debug/pprof", "profile heap.pb.gz",
        "profile /srv/7, one sample every 5 bytes", "",
    ])
    func thePeriodIsReadBackWhateverTheAddressHasForNumbers(origin: String) {
        #expect(ProfileSource.period(ProfileSource.text(origin, period: 524_288)) == 524_288)
    }

    @Test(arguments: ["jemalloc 5.3.0", "profile 12 bytes", "profiles of host, one sample every  bytes"])
    func whatNamesNoPeriodHasNone(text: String) {
        #expect(ProfileSource.period(text) == nil)
    }
}

import SiltPprof
import Testing

struct AddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:6060/debug/pprof", "http://127.0.0.1:6060/debug/pprof/heap?gc=1"),
        ("http://127.0.0.1:6060/debug/pprof/", "http://127.0.0.1:6060/debug/pprof/heap?gc=1"),
        ("http://127.0.0.1:6060/debug/pprof/heap", "http://127.0.0.1:6060/debug/pprof/heap?gc=1"),
        ("http://127.0.0.1:6060/debug/pprof/goroutine#top", "http://127.0.0.1:6060/debug/pprof/heap?gc=1"),
        ("http://127.0.0.1:6060", "http://127.0.0.1:6060/debug/pprof/heap?gc=1"),
        ("127.0.0.1:6060", "http://127.0.0.1:6060/debug/pprof/heap?gc=1"),
        ("shop.internal", "http://shop.internal:80/debug/pprof/heap?gc=1"),
        ("http://[::1]:6060/", "http://[::1]:6060/debug/pprof/heap?gc=1"),
        ("[::1]:6060", "http://[::1]:6060/debug/pprof/heap?gc=1"),
        ("http://localhost:1/admin/profiles?token=a%20b", "http://localhost:1/admin/profiles/heap?token=a%20b&gc=1"),
        ("https://shop.example", "https://shop.example:443/debug/pprof/heap?gc=1"),
        ("https://shop.example:8443/", "https://shop.example:8443/debug/pprof/heap?gc=1"),
        ("unix:/run/shop.sock", "unix:/run/shop.sock /debug/pprof/heap?gc=1"),
    ])
    func addressesAreReadAsUsersWriteThem(_ text: String, _ heap: String) throws {
        #expect(try PprofAddress(text).description(.heap) == heap)
    }

    @Test(arguments: [
        ("", "empty"), ("http://", "give it as"), ("http:///debug/pprof", "give it as"), (":6060", "give it as"),
        ("ftp://127.0.0.1", "only http://, https:// and unix:"), ("https://", "give it as"),
        ("http://127.0.0.1:66000", "port"), ("http://127.0.0.1:0", "port"), ("127.0.0.1:x", "port"),
        ("http://me:secret@host/", "user names"), ("http://127.0.0.1:80/a b", "blanks"),
        ("http://127.0.0.1:80/\r\nX: y", "blanks"), ("http://größe/", "ASCII"), ("unix:run/shop.sock", "absolute path"),
    ])
    func otherAddressesAreRefusedWithTheReason(_ text: String, _ reason: String) {
        let error = #expect(throws: PprofAddressError.self) { try PprofAddress(text) }
        #expect(error?.description.contains(reason) == true, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test func profilesHaveTheirOwnAddresses() throws {
        let address = try PprofAddress("http://127.0.0.1:6060")
        #expect(address.target(.goroutine) == "/debug/pprof/goroutine")
        #expect(address.target(.named("allocs")) == "/debug/pprof/allocs")
        #expect(address.host == "127.0.0.1:6060")
        #expect(try PprofAddress("unix:/a").host == "localhost")
    }
}

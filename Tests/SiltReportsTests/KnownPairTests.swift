import SiltEvents
import Testing

@testable import SiltFindings

@Suite struct KnownPairTests {
    private func giver(_ function: String, _ module: String, isProgram: Bool = false) -> String? {
        KnownPairs.all.pair(function: function, module: module, isProgram: isProgram)?.giver
    }

    @Test(
        arguments: [
            ("getaddrinfo", "/lib/x86_64-linux-gnu/libc.so.6", "freeaddrinfo"),
            ("SSL_new", "/usr/lib/libssl.so.3", "SSL_free"),
            ("EVP_MD_CTX_new", "/usr/lib/libcrypto.so.3", "EVP_MD_CTX_free"),
            ("EVP_CIPHER_CTX_new", "libcrypto.so.3", "EVP_CIPHER_CTX_free"),
            ("X509_STORE_new", "libcrypto.so.3", "X509_STORE_free"),
            ("sqlite3_prepare_v2", "/usr/lib/libsqlite3.so.0", "sqlite3_finalize"),
            ("PQexec", "/usr/lib/libpq.so.5", "PQclear"),
            ("regcomp@@GLIBC_2.2.5", "/lib/libc.so.6", "regfree"),
            ("__getdelim", "/lib/libc.so.6", "free"),
            // silt's function, which stands in front of the C library's.
            ("opendir", "/var/tmp/silt-0/lib/x86_64-linux-gnu/libsilt-43a444efc4dd1b0f.so", "closedir"),
        ]
    )
    func whatALibraryMakesIsGivenBackByItsOwnFunction(function: String, module: String, expected: String) {
        #expect(giver(function, module) == expected)
    }

    /// A function of that name may be anybody's.
    @Test func aPairIsNamedOnlyInItsLibraryOrLinkedIntoTheProgram() {
        #expect(giver("sqlite3_open", "/opt/other/libother.so") == nil)
        #expect(giver("sqlite3_open", "/opt/server", isProgram: true) == "sqlite3_close")
        #expect(giver("EVP_CTX_new", "libcrypto.so.3") == nil)
        #expect(giver("malloc", "/lib/libc.so.6") == nil)
    }

    private func pair(_ frames: [(String, String)], blamed: Int) -> String? {
        var search = PairSearch()
        for (index, frame) in frames.enumerated() {
            let isProgram = frame.1 == "server"
            let isBlamed = index == blamed
            guard search.goes(on: frame.0, frame.1, isProgram: isProgram, isBlamed: isBlamed, .all) else { break }
        }
        return search.found?.maker
    }

    @Test func whatIsNamedIsTheFunctionThatALibraryWasAskedFor() {
        let server = ("handle", "server")
        let fetch = [("CRYPTO_zalloc", "libcrypto.so.3"), ("EVP_MD_fetch", "libcrypto.so.3")]
        #expect(pair(fetch + [("SSL_CTX_new_ex", "libssl.so.3"), server], blamed: 1) == "SSL_CTX_new_ex")
        #expect(pair(fetch + [server], blamed: 2) == "EVP_MD_fetch")
        #expect(pair(fetch + [("context", "_ssl.so"), server], blamed: 2) == "EVP_MD_fetch")
        let prepare = ("sqlite3_prepare_v2", "libsqlite3.so.0")
        #expect(pair([prepare, server], blamed: 0) == "sqlite3_prepare_v2")
        // The first statement of a connection reads what lasts as long as that.
        let schema = ("sqlite3ReadSchema", "libsqlite3.so.0")
        #expect(pair([("sqlite3HashInsert", "libsqlite3.so.0"), schema, prepare, server], blamed: 3) == nil)
        #expect(pair([prepare, ("sqlite3_exec", "libsqlite3.so.0"), server], blamed: 0) == nil)
        #expect(pair([("fopen", "libc.so.6"), ("getpwnam", "libc.so.6"), server], blamed: 2) == nil)
        #expect(pair([("fopen", "libc.so.6"), ("setmntent", "libc.so.6"), server], blamed: 2) == "setmntent")
        // Linked into the program.
        #expect(pair([("xmalloc", "server"), ("sqlite3_open", "server"), server], blamed: 2) == "sqlite3_open")
        #expect(pair([("xmalloc", "server"), server, ("sqlite3_open", "server")], blamed: 1) == nil)
    }

    @Test func eachLineOfTheTableIsAPairAndNoneComesTwice() {
        let lines = KnownPairs.table.split(separator: "\n").filter { !$0.hasPrefix("#") }
        for line in lines {
            let words = line.split(separator: " ")
            #expect(words.count == 3, "\(line)")
        }
        #expect(Set(lines.compactMap { $0.split(separator: " ").first }).count == lines.count)
    }
}

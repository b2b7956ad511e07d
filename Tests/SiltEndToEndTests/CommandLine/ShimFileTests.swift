import Foundation
import SiltTestSupport
import Testing

/// The preload library as a guest in another program: what it asks for and what it shows.
@Suite struct ShimLibrary {
    static let library: Result<(ScratchFolder, String), any Error> = Result {
        let folder = try ScratchFolder()
        let path = folder.file("libsilt.so")
        let result = try runProgram([siltExecutable, "shim", path])
        guard result.status == 0 else { throw TestSetupError(description: result.errors) }
        return (folder, path)
    }

    private func lines(_ command: [String]) throws -> [String] {
        let result = try runProgram(command + [try Self.library.get().1])
        guard result.status == 0 else { throw TestSetupError(description: result.errors) }
        return result.output.split(separator: "\n").map(String.init)
    }

    @Test func itNeedsTheCLibraryAlone() throws {
        let needed = try lines(["readelf", "-dW"]).filter { $0.contains("(NEEDED)") }
        #expect(needed.count == 1)
        #expect(needed.first?.contains("[libc.so.6]") == true)
    }

    @Test func itExportsTheInterposedNamesAndNothingElse() throws {
        let exported = Set(
            try lines(["nm", "-D", "--defined-only"]).compactMap { $0.split(separator: " ").last.map(String.init) }
        )
        let new = ["nw", "na"].flatMap { form in
            ["", "RKSt9nothrow_t", "St11align_val_t", "St11align_val_tRKSt9nothrow_t"].map { "_Z\(form)m\($0)" }
        }
        let delete = ["dl", "da"].flatMap { form in
            ["", "RKSt9nothrow_t", "m", "St11align_val_t", "St11align_val_tRKSt9nothrow_t", "mSt11align_val_t"].map {
                "_Z\(form)Pv\($0)"
            }
        }
        let table = packageRoot.appending(path: "CShim/hook_table.h")
        let rows = try String(contentsOf: table, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("    ") }
        let hooks = rows.flatMap { $0.matches(of: #/(?:NEXT\([^,]*, |ALONE\()(\w+)/#).map { String($0.1) } }
        #expect(Set(hooks).isSuperset(of: ["malloc", "free", "mmap", "close", "execve", "dlopen", "pthread_create"]))
        // Versions of a function, and the names of these versions, which are symbols as well.
        let names = exported.filter { !$0.hasPrefix("GLIBC_") }.map { String($0.prefix { $0 != "@" }) }
        #expect(Set(names) == Set(new + delete + hooks))
    }

    /// A debugger calls malloc in the program, and goes by the types it finds.
    @Test func itHasNoDebugInformation() throws {
        #expect(try lines(["readelf", "-SW"]).allSatisfy { !$0.contains(".debug_") })
    }

    @Test func itsThreadStateIsSmallAndReachedWithoutACall() throws {
        #expect(try lines(["nm", "-D", "--undefined-only"]).allSatisfy { !$0.contains("__tls_get_addr") })
        #expect(try lines(["readelf", "-dW"]).contains { $0.contains("STATIC_TLS") })
        let segment = try lines(["readelf", "-lW"]).first { $0.contains(" TLS ") }
        let columns = try #require(segment).split(separator: " ")
        let size = try #require(Int(columns[5].dropFirst(2), radix: 16))
        #expect(size > 0 && size < 64)
    }

    @Test func itWritesToNothingExecutableAndBindsAtOnce() throws {
        let segments = try lines(["readelf", "-lW"])
        #expect(!segments.contains { $0.contains("RWE") })
        #expect(segments.contains { $0.contains("GNU_RELRO") })
        #expect(try lines(["readelf", "-dW"]).contains { $0.contains("NOW") })
    }
}

import SiltTestSupport
import Testing

extension EndToEnd {
    /// Programs and libraries whose LOAD segments do not lie side by side.
    @Suite(.serialized)
    struct Layouts {
        private static let apart = "-Wl,-z,max-page-size=0x200000"

        private func expectWholeStacks(_ command: [String]) throws {
            let (result, report) = try trace(command)
            #expect(result.status == 0)
            #expect(report.trust.stacksCompletePercent == 100)
            let site = try #require(report.sites.first { $0.inuseSpace == 100_000 })
            #expect(site.stack.map(\.function).starts(with: ["make", "route_a", "main"]), "\(site.stack)")
        }

        @Test(arguments: [
            ["-pie", apart], ["-no-pie", apart], ["-no-pie", apart, "-Wl,-z,noseparate-code"],
            ["-pie", apart, "-Wl,--build-id=none"], ["-pie", "-Wl,-z,max-page-size=0x10000"],
        ])
        func stacksOfAProgramWithHolesAreWhole(flags: [String]) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("holes", into: folder, flags: flags)
            try expectWholeStacks([program])
        }

        /// Then the kernel's word on the program's headers is about the loader.
        @Test(arguments: ["-pie", "-no-pie"])
        func stacksOfAProgramWithHolesThatTheLoaderIsToldToRunAreWhole(kind: String) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("holes", into: folder, flags: [kind, Self.apart])
            let (result, report) = try trace(["sh", "-c", "/lib64/ld-linux-x86-64.so.2 \(program)"])
            #expect(result.status == 0)
            #expect(report.trust.stacksCompletePercent == 100)
            #expect(report.sites.contains { $0.inuseSpace == 100_000 })
        }

        @Test func stacksOfALibraryWithHolesAreWhole() throws {
            let folder = try ScratchFolder()
            let library = folder.file("libholes.so")
            let source = packageRoot.path() + "Tests/Workloads/holes.c"
            let flags = ["-O1", "-g", "-shared", "-fPIC", "-DLIBRARY", Self.apart]
            #expect(try runProgram(["gcc"] + flags + ["-o", library, source]).status == 0)
            try expectWholeStacks([try buildWorkload("holes", into: folder, flags: ["-DPROGRAM", library])])
        }
    }
}

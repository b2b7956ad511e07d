import Foundation
import SiltTestSupport
import Testing

/// What a machine must have for the tests: one list, which README's line installs, and no waiting for what it has not.
struct MissingProgramTests {
    private func packages(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    private func file(_ name: String) throws -> String {
        try String(contentsOf: packageRoot.appending(path: name), encoding: .utf8)
    }

    @Test(arguments: [
        (["redis-cli", "ping"], "redis-cli is missing: apt-get install redis-tools"),
        (["bash", "-c", "nginx -c conf & sleep 1; kill $!"], "nginx is missing: apt-get install nginx-light"),
        (["silt", "run", "--", "memcached", "-u", "nobody"], "memcached is missing: apt-get install memcached"),
        (["sh", "-c", "x=$(ab -n 50 http://h/)"], "ab is missing: apt-get install apache2-utils"),
        (
            ["/usr/share/nowhere/flamegraph.pl"],
            "/usr/share/nowhere/flamegraph.pl is missing: apt-get install libdevel-nytprof-perl"
        ),
        (["env", "LD_PRELOAD=libjemalloc.so.2"], "libjemalloc.so.2 is missing: apt-get install libjemalloc2"),
        (["sh", "-c", "exec \"$0\" redis.sock /tmp/x/redis-cli.log my-redis-cli"], nil),
    ])
    func aProgramThatIsMissingIsNamedWithItsPackage(command: [String], message: String?) {
        #expect(missingProgram(in: command, path: "/nonexistent", libraries: "/nonexistent") == message)
    }

    @Test func aCommandThatNamesAMissingProgramIsNotStarted() {
        let error = #expect(throws: TestSetupError.self) {
            try runProgram(["sh", "-c", "sleep 20; /usr/nowhere/redis-server"])
        }
        #expect(error?.description == "/usr/nowhere/redis-server is missing: apt-get install redis-server")
    }

    @Test func theListOfPackagesHoldsWhatTheTestsAndTheBuildNeed() throws {
        let listed = packages(try file(".ci/packages"))
        #expect(Set(packagesOfPrograms.values).subtracting(listed).isEmpty)
        let setup = try #require(try file("README.md").firstMatch(of: /apt-get install -y (lib[^&]+|gcc[^&]+)&&/)).1
        #expect(packages(String(setup)).subtracting(listed).isEmpty)
    }
}

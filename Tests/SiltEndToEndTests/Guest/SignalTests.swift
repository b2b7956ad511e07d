import SiltTestSupport
import Testing

extension EndToEnd {
    /// Hooks that are interrupted, entered again by handlers, and left by `siglongjmp`.
    @Suite(.serialized)
    struct Signals {
        /// The alternate stack lies below (0) or above (1) the interrupted one.
        @Test(arguments: ["0", "1"], [[:], ["SILT_FREE_STACKS": "1"]])
        func aHookThatAHandlerLeftDoesNotSilenceOrConfuseItsThread(
            above: String,
            environment: [String: String]
        ) throws {
            let folder = try ScratchFolder()
            let allocator = try buildWorkload("bump", into: folder, flags: ["-shared", "-fPIC"])
            let program = try buildWorkload("leaves", into: folder, flags: [allocator])
            let (result, report) = try trace([program, above], environment: environment)
            #expect(result.status == 0)
            #expect(result.output.hasPrefix("left\n"))
            let after = report.sites(named: "after_leaving").filter { $0.allocSpace == $0.allocObjects * 4321 }
            #expect(after.map(\.allocObjects).reduce(0, +) == 2000)
            let handler = report.sites(named: "in_handler")
            #expect(handler.map(\.allocObjects).reduce(0, +) == 1000)
            #expect(handler.map(\.allocSpace).reduce(0, +) == 1000 * 3333)
            let raising = report.sites(named: "raising").filter { $0.allocSpace == $0.allocObjects * 7777 }
            #expect(raising.map(\.allocObjects).reduce(0, +) == 500)
        }

        @Test func whatTheProgramBlocksStaysBlocked() throws {
            let folder = try ScratchFolder()
            let program = [try buildWorkload("pending", into: folder)]
            let native = try runProgram(program)
            let (result, report) = try trace(program)
            #expect(native.status == 0 && native.output == "4 5 7 8 11 31 \n")
            #expect(result.status == 0 && result.output == native.output, "\(result.output) \(result.errors)")
            #expect(report.trust.lost == 0 && report.processes.count == 13)
        }
    }
}

import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Profiles sent to Pyroscope's push API, to a receiver that decodes them.
    @Suite(.serialized)
    struct Pushing {
        private struct Entry: Decodable {
            var labels: [String: String]
            var credentials: String?
            var id: String
        }

        private func receive(
            failures: Int,
            environment: [String: String],
            options: [String]
        ) throws -> (entries: [Entry], errors: String, folder: ScratchFolder) {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let port = Int.random(in: 20_000...30_000)
            let script = packageRoot.appending(path: "Tests/Workloads/pyroscope_receiver.py").path()
            let receiver = try StartedProgram(["python3", script, "\(port)", folder.path, "\(failures)"])
            defer { receiver.end() }
            for _ in 0..<200 where try runProgram(["curl", "-s", "http://127.0.0.1:\(port)/"]).status == 7 {
                usleep(20_000)
            }
            let result = try runProgram(
                [
                    siltExecutable, "run", "--snapshot-every", "100ms", "--push", "http://127.0.0.1:\(port)",
                    "--push-every", "1s",
                ]
                    + options + ["--", program, "4"],
                environment: environment
            )
            let log = (try? String(contentsOfFile: folder.file("log"), encoding: .utf8)) ?? ""
            let entries = try log.split(separator: "\n").map {
                try JSONDecoder().decode(Entry.self, from: Data($0.utf8))
            }
            return (entries, result.errors, folder)
        }

        @Test func profilesComeOnTimeWithTheirLabelsAndTheLastOneIsWhole() throws {
            let (entries, errors, folder) = try receive(
                failures: 0,
                environment: ["SILT_PUSH_TOKEN": "secret"],
                options: ["--label", "env=staging \"quoted\""]
            )
            #expect((3...6).contains(entries.count), "\(entries.count) \(errors)")
            for entry in entries {
                #expect(entry.labels["service_name"] == "growth" && entry.labels["env"] == "staging \"quoted\"")
                #expect(entry.labels["__name__"] == "memory" && entry.credentials == "Bearer secret")
            }
            #expect(Set(entries.map(\.id)).count == entries.count)
            #expect(errors.contains("pushed \(entries.count) profiles"))
            let table = try goToolPprof(["-top", "-symbolize=none", folder.file("\(entries.count).pb.gz")])
            #expect(table.contains("build_string"), "\(table)")
        }

        @Test func whatFailsIsTriedAgain() throws {
            let (entries, errors, _) = try receive(
                failures: 2,
                environment: ["SILT_PUSH_USER": "me", "SILT_PUSH_PASSWORD": "open sesame"],
                options: []
            )
            #expect(errors.contains("will be tried again") && errors.contains("503"), "\(errors)")
            #expect(errors.contains("profiles are pushed again") && entries.count >= 3, "\(entries.count) \(errors)")
            #expect(entries.first?.id == "silt-1")
            #expect(entries.first?.credentials == "Basic " + Data("me:open sesame".utf8).base64EncodedString())
        }

        @Test func aReceiverThatIsNotThereHoldsNothingUp() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let result = try runProgram(
                [siltExecutable, "run", "--push", "http://127.0.0.1:9", "--push-every", "1s", "--", program, "2"],
                seconds: 30
            )
            #expect(result.status == 0)
            #expect(result.errors.contains("pushing a profile failed") && result.errors.contains("pushed 0 profiles"))
        }

        @Test func whatIsNoAddressOrLabelIsAUsageError() throws {
            for options in [
                ["--push", "https://host"], ["--push", "http://h:1", "--label", "x"], ["--label", "a=b"],
            ] {
                #expect(try runProgram([siltExecutable, "run"] + options + ["--", "true"]).status == 2, "\(options)")
            }
        }
    }
}

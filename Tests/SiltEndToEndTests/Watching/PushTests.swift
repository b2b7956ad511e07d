import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Profiles sent to Pyroscope's push API and as OpenTelemetry's, to receivers that decode them.
    @Suite(.serialized)
    struct Pushing {
        private struct Entry: Decodable {
            var labels: [String: String]
            var credentials: String?
            var id: String
        }

        /// What came at Tests/Workloads/otlp_receiver.py.
        private struct Export: Decodable {
            var scope: String
            var resource: [String: String]
            var totals: [String: Int]
            /// In use, by innermost function.
            var innermost: [String: Int]
            var labels: [String]
            var buildIDs: Int
            var credentials: String?
        }

        /// Runs `send` with the address of a receiver, and returns what it has written of what came.
        private func receive<Entry: Decodable>(
            _ receiver: String,
            _ options: String...,
            in folder: ScratchFolder,
            send: (_ port: Int) throws -> ProgramResult
        ) throws -> (entries: [Entry], errors: String) {
            let port = try freePort()
            let script = packageRoot.appending(path: "Tests/Workloads/\(receiver).py").path()
            let receiver = try StartedProgram(
                ["python3", script, "\(port)", folder.path] + options,
                environment: try pythonEnvironment()
            )
            defer { receiver.end() }
            try waitUntil("it listens") { connects(port: port) }
            let result = try send(port)
            let log = (try? String(contentsOfFile: folder.file("log"), encoding: .utf8)) ?? ""
            let entries = try log.split(separator: "\n").map {
                try JSONDecoder().decode(Entry.self, from: Data($0.utf8))
            }
            return (entries, result.errors)
        }

        /// Traces `growth.c` for some seconds, pushing each second.
        private func push(
            to port: Int,
            scheme: String = "http",
            seconds: Int = 4,
            from folder: ScratchFolder,
            _ environment: [String: String],
            _ options: [String]
        ) throws -> ProgramResult {
            let program = try buildWorkload("growth", into: folder)
            return try runProgram(
                [
                    siltExecutable, "run", "--snapshot-every", "100ms", "--push", "\(scheme)://127.0.0.1:\(port)",
                    "--push-every", "1s",
                ]
                    + options + ["--", program, "\(seconds)"],
                environment: environment
            )
        }

        private func receive(
            failures: Int,
            environment: [String: String],
            options: [String]
        ) throws -> (entries: [Entry], errors: String, folder: ScratchFolder) {
            let folder = try ScratchFolder()
            let (entries, errors): ([Entry], String) = try receive("pyroscope_receiver", "\(failures)", in: folder) {
                try push(to: $0, from: folder, environment, options)
            }
            return (entries, errors, folder)
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

        /// Of a recording, under the name of the program that was traced.
        @Test func servingPushesAsWell() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let recording = folder.file("monday.silt")
            let options = ["--snapshot-every", "100ms", "--out", recording]
            _ = try runProgram([siltExecutable, "run"] + options + ["--", program, "1"])
            let (entries, errors): ([Entry], String) = try receive("pyroscope_receiver", "0", in: folder) { port in
                try runProgram([
                    "timeout", "-s", "INT", "3", siltExecutable, "serve", recording, "--push",
                    "http://127.0.0.1:\(port)", "--push-every", "1s",
                ])
            }
            #expect(!entries.isEmpty && entries.allSatisfy { $0.labels["service_name"] == "growth" }, "\(errors)")
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

        /// `names` are those of the certificate that the receiver has.
        @Test(
            arguments: [
                ("IP:127.0.0.1", "certificate.pem", ""),
                ("IP:127.0.0.1", "other.pem", "nobody whom this machine trusts has signed its certificate"),
                ("IP:127.0.0.1", "key.pem", "which holds no certificates"),
                ("DNS:profiles.example", "certificate.pem", "its certificate is for another host"),
            ]
        )
        func credentialsGoToNobodyButTheHostThatWasMeant(
            names: String,
            trusted: String,
            problem: String
        ) throws {
            let folder = try ScratchFolder()
            let request = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=profiles"
            _ = try consume([
                "sh", "-c",
                """
                cd '\(folder.path)' && exec 2> log.openssl &&
                \(request) -addext 'subjectAltName=\(names)' -keyout key.pem -out certificate.pem &&
                \(request) -keyout other.key -out other.pem && cat certificate.pem key.pem > pair.pem
                """,
            ])
            let environment = ["SILT_PUSH_TOKEN": "secret", "SSL_CERT_FILE": folder.file(trusted)]
            let pair = folder.file("pair.pem")
            let (entries, errors): ([Entry], String) = try receive("pyroscope_receiver", "0", pair, in: folder) {
                try push(to: $0, scheme: "https", seconds: 2, from: folder, environment, [])
            }
            if problem.isEmpty {
                #expect((2...4).contains(entries.count) && entries.allSatisfy { $0.credentials == "Bearer secret" })
                #expect(errors.contains("pushed \(entries.count) profiles"), "\(errors)")
            } else {
                #expect(entries.isEmpty && errors.contains(problem), "\(errors)")
            }
        }

        @Test func aReceiverWithoutTLSIsToldFromOneThatIsNotTrusted() throws {
            let folder = try ScratchFolder()
            let (entries, errors): ([Entry], String) = try receive("pyroscope_receiver", "0", in: folder) {
                try push(to: $0, scheme: "https", seconds: 2, from: folder, [:], [])
            }
            #expect(entries.isEmpty && errors.contains("it speaks no TLS"), "\(errors)")
        }

        /// The receiver takes what Pyroscope's own client sends, which has the same labels.
        @Test func requestsAreLikeThoseOfARealClient() throws {
            let folder = try ScratchFolder()
            let (entries, errors): ([Entry], String) = try receive("pyroscope_receiver", "0", in: folder) { port in
                let script = packageRoot.appending(path: "Tests/Workloads/pyroscope_client.py").path()
                return try runProgram(["python3", script, "\(port)"], environment: try pythonEnvironment())
            }
            let first = try #require(entries.first, "\(errors)")
            #expect(first.labels["service_name"] == "shop.server" && first.labels["env"] == "staging")
            #expect(first.labels["__name__"] == "process_cpu")
            #expect(try goToolPprof(["-raw", "-symbolize=none", folder.file("1.pb.gz")]).contains("cpu/nanoseconds"))
        }

        @Test func openTelemetryGetsOneProfileForEachKindOfNumber() throws {
            let folder = try ScratchFolder()
            let recording = folder.file("run.silt")
            let (exports, errors): ([Export], String) = try receive("otlp_receiver", "none", in: folder) {
                try push(
                    to: $0,
                    from: folder,
                    ["SILT_PUSH_TOKEN": "secret"],
                    ["--push-as", "otlp", "--label", "deployment.environment.name=staging", "--out", recording]
                )
            }
            #expect((3...6).contains(exports.count), "\(exports.count) \(errors)")
            #expect(errors.contains("pushed \(exports.count) profiles"))
            let last = try #require(exports.last)
            #expect(last.resource == ["service.name": "growth", "deployment.environment.name": "staging"])
            #expect(last.scope == "silt" && last.credentials == "Bearer secret" && last.buildIDs > 0)
            let report = try report(of: recording)
            #expect(
                last.totals == [
                    "alloc_objects/count": report.totals.allocObjects, "alloc_space/bytes": report.totals.allocSpace,
                    "inuse_objects/count": report.totals.inuseObjects, "inuse_space/bytes": report.totals.inuseSpace,
                ]
            )
            let site = try #require(report.sites.first { $0.blame.function == "build_string" })
            #expect(last.innermost["build_string"] == site.inuseSpace)
            #expect(last.labels.contains("pid"))
        }

        @Test(arguments: [("invalid", "400"), ("partial", "rejected 4 profiles: out of quota")])
        func whatAReceiverWillNeverTakeIsNotSentAgain(_ refusal: String, _ words: String) throws {
            let folder = try ScratchFolder()
            let (exports, errors): ([Export], String) = try receive("otlp_receiver", refusal, in: folder) {
                try push(to: $0, from: folder, [:], ["--push-as", "otlp"])
            }
            #expect(errors.contains("pushing a profile failed, it is dropped") && errors.contains(words), "\(errors)")
            #expect(exports.count >= 2)
            #expect(errors.contains("pushed \(exports.count) profiles, 1 could not be"), "\(errors)")
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
                ["--push", "ftp://host"], ["--push", "http://h:1", "--label", "x"], ["--label", "a=b"],
                ["--push-as", "otlp"], ["--push", "http://h:1", "--push-as", "grafana"],
            ] {
                #expect(try runProgram([siltExecutable, "run"] + options + ["--", "true"]).status == 2, "\(options)")
            }
        }
    }
}

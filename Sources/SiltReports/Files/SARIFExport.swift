internal import SiltEvents
package import SiltFindings
internal import SiltGrowth
internal import SiltJSON
internal import SiltText

/// What grows, for code scanning (SARIF 2.1.0, docs.oasis-open.org/sarif): a result for each finding, at the line to mend.
///
/// Files below the program's working directory are named relative to it, as code scanning wants those of a repository.
package enum SARIFExport {
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        let shown = report.findings.own.prefix(report.options.limit ?? Int.max)
        var kinds: [Resource] = []
        for site in shown where !kinds.contains(site.resource) { kinds.append(site.resource) }
        var json = JSONWriter(into: output)
        json.object { json in
            json.value("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
            json.value("version", "2.1.0")
            json.array("runs") { json in
                json.object { json in
                    json.object("tool") { json in
                        json.object("driver") { driver(report, kinds, &$0) }
                    }
                    json.array("invocations") { json in
                        json.object { invocation(report, &$0) }
                    }
                    json.objects("results", of: shown) { result($0, report, kinds, &$1) }
                }
            }
        }
        output = json.finish()
    }

    private static func driver<Output>(
        _ report: HeapReport,
        _ kinds: [Resource],
        _ json: inout JSONWriter<Output>
    ) {
        json.value("name", "silt")
        let version = report.recording.target.siltVersion
        if !version.isEmpty { json.value("version", version) }
        json.objects("rules", of: kinds) { kind, json in
            json.value("id", rule(kind))
            json.object("shortDescription") {
                $0.value("text", "A call site whose \(kind.units) are never \(kind.gone)")
            }
        }
    }

    private static func rule(_ kind: Resource) -> String { "growing-\(kind.name)" }

    /// What could not be measured is no clean bill: code scanning shows it as a run that did not succeed.
    private static func invocation<Output>(_ report: HeapReport, _ json: inout JSONWriter<Output>) {
        json.value("executionSuccessful", report.verdict != .inconclusive)
        let command = Format.commandLine(report.recording.target.command)
        if !command.isEmpty { json.value("commandLine", command) }
        json.array("toolExecutionNotifications") { json in
            json.object { json in
                json.value("level", report.verdict == .inconclusive ? "error" : "note")
                json.object("message") { $0.value("text", report.verdictLine) }
            }
        }
    }

    private static func result<Output>(
        _ site: ReportSite,
        _ report: HeapReport,
        _ kinds: [Resource],
        _ json: inout JSONWriter<Output>
    ) {
        let directory = report.recording.target.directory
        json.value("ruleId", rule(site.resource))
        json.value("ruleIndex", kinds.firstIndex(of: site.resource))
        json.value("level", level(site.confidence))
        let phase = site.phase.map { " " + HuntHeadline.during($0, report) } ?? ""
        let rate = FindingText.rates(site, report).map { "\($0)\(phase): " } ?? ""
        json.object("message") { $0.value("text", "\(rate)\(site.label). \(site.evidenceLine)") }
        json.array("locations") { json in
            json.object { location(site.fix, directory, &$0) }
        }
        // Lines move; the functions by which a finding is known again stay.
        let names = [site.resource.name, site.phase ?? "", site.fix.name, site.blame.name].map(\.printable)
        json.object("partialFingerprints") { $0.value("callSite/v1", names.joined(separator: "|")) }
        let frames = report.framesFromBlame(ofStack: site.stack)
        if !frames.isEmpty {
            json.array("stacks") { json in
                json.object { json in
                    json.array("frames") { json in
                        for frame in frames {
                            json.object { $0.object("location") { location(frame, directory, &$0) } }
                        }
                    }
                }
            }
        }
        json.object("properties") { json in
            json.value("confidence", site.confidence.rawValue)
            json.value("rate", site.rate?.value)
            json.value("unit", site.rate?.unit.rawValue)
            json.value("inUseBytes", site.inUseBytes)
            json.value("inUseObjects", site.inUseCount)
        }
    }

    private static func level(_ confidence: Confidence) -> String {
        switch confidence {
        case .high: "error"
        case .medium: "warning"
        case .low: "note"
        }
    }

    /// The line where it is known, else the module.
    private static func location<Output>(
        _ frame: ReportFrame,
        _ directory: String,
        _ json: inout JSONWriter<Output>
    ) {
        let path = frame.file ?? frame.module
        if !path.isEmpty {
            json.object("physicalLocation") { json in
                json.object("artifactLocation") {
                    $0.value("uri", uri(GitHubAnnotations.relative(path, to: directory)))
                }
                if let line = frame.line, line > 0 { json.object("region") { $0.value("startLine", line) } }
            }
        }
        json.array("logicalLocations") { json in
            json.object { json in
                json.value("fullyQualifiedName", frame.name.printable)
                json.value("kind", "function")
            }
        }
    }

    private static let hexDigits = Array("0123456789ABCDEF")

    /// A file URI of an absolute path, or a relative reference (RFC 3986): what is no plain character is escaped.
    private static func uri(_ path: String) -> String {
        var result = path.hasPrefix("/") ? "file://" : ""
        for byte in path.systemBytes {
            let character = Character(Unicode.Scalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-._~/+@".contains(character) {
                result.append(character)
            } else {
                result += "%\(hexDigits[Int(byte >> 4)])\(hexDigits[Int(byte & 15)])"
            }
        }
        return result
    }
}

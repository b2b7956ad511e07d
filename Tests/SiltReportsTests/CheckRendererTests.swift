import Foundation
import SiltGrowth
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

@Suite struct CheckRendererTests {
    /// One of each: failed, allowed, in doubt; an unused suppression, a mended entry, a phase that was not reached.
    private func check(_ options: ReportOptions = ReportOptions()) throws -> CheckReport {
        let report = try ShopHunt.report(options)
        return CheckReport(
            report,
            settings: try ShopHunt.settings {
                $0.bytesPerRequest = 64
                try $0.suppressions.add("leak:cache_*l", from: "lsan.supp:2")
                try $0.suppressions.add("leak:^gone$", from: "lsan.supp:3")
                $0.phases.append("carts")
                var baseline = GrowthBaseline()
                baseline.entries = [
                    GrowthBaseline.Entry(
                        resource: .heap,
                        phase: "users",
                        rate: 3,
                        unit: .bytesPerRequest,
                        stacks: [["session_open session.c"]]
                    )
                ]
                $0.baseline = baseline
            },
            failure: "the load of phase carts failed in round 1, with status 7; it printed:\n  no carts <here>"
        )
    }

    private func text(_ check: CheckReport, width: Int = 120, color: Bool = false) -> String {
        var output = ""
        CheckText.render(check, width: width, color: color, into: &output)
        return output
    }

    private func junit(_ check: CheckReport) -> String {
        var output = ""
        JUnitReport.render(check, into: &output)
        return output
    }

    private func annotations(_ check: CheckReport, in folder: String) -> String {
        var output = ""
        GitHubAnnotations.render(check, workingDirectory: folder, into: &output)
        return output
    }

    @Test func theTextIsAsItWas() throws {
        try expectGolden(text(check()), "check.txt")
        let passed = CheckReport(try ShopHunt.report(), settings: ShopHunt.settings { $0.bytesPerRequest = 200 })
        try expectGolden(text(passed), "check-passed.txt")
    }

    @Test func theTextKeepsToItsWidthAndColorsOnRequest() throws {
        for width in [40, 80, 120] {
            var options = ReportOptions()
            options.width = width
            for line in text(try check(options), width: width).split(separator: "\n") {
                #expect(line.count <= width, "\(line)")
            }
        }
        #expect(!text(try check()).contains("\u{1b}"))
        #expect(text(try check(), color: true).hasPrefix("\u{1b}[1;31mFAILED:"))
    }

    @Test func theJSONIsAsItWas() throws {
        var output = ""
        CheckJSON.render(try check(), into: &output)
        try expectGolden(output, "check.json")
        let root = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        #expect(root["format"] as? String == "silt-check")
        #expect(root["exit_status"] as? Int == 1)
    }

    @Test func theAnnotationsAreAsTheyWere() throws {
        try expectGolden(annotations(check(), in: "/src"), "check-annotations.txt")
    }

    @Test func annotationsEscapeWhatSeparatesThem() {
        #expect(
            GitHubAnnotations.command("error", [("file", "a,b:c%.c"), ("line", "3")], "50 %: x,\r\ny::z")
                == "::error file=a%2Cb%3Ac%25.c,line=3::50 %25: x,%0D%0Ay::z\n"
        )
        #expect(GitHubAnnotations.command("warning", [], "x") == "::warning::x\n")
    }

    @Test(
        arguments: [
            ("/src/orders.c", "/src", "orders.c"), ("/src/orders.c", "/src/", "orders.c"),
            ("/src/a/../b.c", "/src", "b.c"),
            ("/src/./a//b.c", "/src", "a/b.c"), ("/srcs/b.c", "/src", "/srcs/b.c"), ("/usr/x.c", "/src", "/usr/x.c"),
            ("../x.c", "/src", "../x.c"), ("/src/b.c", "/", "src/b.c"), ("/../b.c", "/src", "/b.c"),
        ]
    )
    func annotatedPathsAreRelativeToTheWorkingDirectory(_ path: String, _ folder: String, _ expected: String) {
        #expect(GitHubAnnotations.relative(path, to: folder) == expected)
    }

    @Test func theJUnitFileIsAsItWasAndValid() throws {
        let xml = junit(try check())
        try expectGolden(xml, "check.xml")
        try expectValid(xml)
    }

    /// Names the phase.
    private func stillness(in phase: String) -> Evidence {
        let judged = GrowthVerdict(.plateauing, .flat, facts: GrowthFacts())
        return Evidence(.phase(judged, Evidence.Phase(name: phase, isIdle: false)))
    }

    @Test func hostileNamesStayXML() throws {
        var report = try ShopHunt.report()
        for index in report.sites.indices {
            report.sites[index].phase = "a<b>&\"c'\u{1}\n"
            report.sites[index].evidence = stillness(in: "]]> \u{7f}\u{fffe}\u{0} é 💧")
            report.sites[index].blame.function = "std::map<int, char const*>::operator[](int&&)"
        }
        report.phases[2].name = "a<b>&\"c'\u{1}\n"
        let check = CheckReport(report, settings: ShopHunt.settings { $0.title = "<&\">.yml" })
        try expectValid(junit(check))
        #expect(junit(check).contains("operator[](int&amp;&amp;)"))
        let commands = annotations(check, in: "/src").split(separator: "\n")
        #expect(commands.count == check.findings.count + 1)
        #expect(commands.allSatisfy { $0.hasPrefix("::error ") || $0.hasPrefix("::warning ") })
        #expect(!text(check).unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }

    @Test func anUnmeasuredHuntIsAnErrorForEachPhase() throws {
        let check = CheckReport(nil, settings: try ShopHunt.settings(), failure: "it did not start")
        let xml = junit(check)
        try expectValid(xml)
        #expect(xml.contains("tests=\"2\" failures=\"0\" errors=\"2\""))
        #expect(text(check).hasPrefix("INCONCLUSIVE: it did not start\n"))
        #expect(annotations(check, in: "/").contains("::error title=silt%3A orders could not be measured::it did"))
    }

    @Test func aTraceThatRanFreelyIsOneTestCase() throws {
        let check = CheckReport(try OrderServer.growingReport(), settings: CheckSettings())
        let xml = junit(check)
        try expectValid(xml)
        #expect(xml.contains("tests=\"1\" failures=\"1\" errors=\"0\""))
        #expect(xml.contains("#0 order_create /src/orders.c:88"))
    }

    /// By the schema that stands beside the golden files: what Jenkins and GitLab read.
    private func expectValid(_ xml: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let schema = packageRoot.appending(path: "Tests/SiltReportsTests/Golden/junit.xsd").path()
        let folder = try ScratchFolder()
        let path = folder.file("check.xml")
        try xml.write(toFile: path, atomically: false, encoding: .utf8)
        let result = try runProgram(["xmllint", "--noout", "--schema", schema, path])
        #expect(result.status == 0, "\(result.errors)\n\(xml)", sourceLocation: sourceLocation)
    }
}

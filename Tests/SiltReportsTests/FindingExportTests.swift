import Foundation
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Findings as Markdown and SARIF, as readers of those formats take them.
@Suite struct FindingExportTests {
    private func consumed(_ script: String, _ text: String) throws -> String {
        let result = try runProgram(["python3", "-c", script], environment: try pythonEnvironment(), input: text)
        guard result.status == 0 else { throw TestSetupError(description: result.errors) }
        return result.output
    }

    private let tableReader = """
        import markdown_it, sys
        tokens = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).parse(sys.stdin.read())
        for position, token in enumerate(tokens):
            if token.type in ("td_open", "th_open"):
                children = tokens[position + 1].children
                print(repr("".join(child.content for child in children)), [c.type for c in children])
            if token.type == "fence": print("fence", token.content, end="")
            if token.type == "inline" and tokens[position - 1].type == "paragraph_open": print("text", token.children[0].type)
        """

    @Test func aMarkdownReaderSeesTheFindingsAsATable() throws {
        var markdown = ""
        MarkdownExport.render(try OrderServer.growingReport(), into: &markdown)
        let read = try consumed(tableReader, markdown)
        let cells = read.split(separator: "\n").map(String.init)
        #expect(cells.prefix(3) == ["text text", "text code_inline", "'' []"])
        #expect(markdown.contains("\n`./server --port 8080`, watched for 48 s\n"))
        #expect(cells.contains("'handle_order http.c:77, through order_create' ['code_inline']"), "\(read)")
        #expect(cells.contains("'certain' ['text']"), "\(read)")
        #expect(cells.contains("fence main server.c:40"), "\(read)")
    }

    @Test func findingsAreNumberedWithoutGapsAndSayWhatGrowsWithThem() throws {
        var report = try ShopHunt.report()
        report.sites[1].follows = .init(rank: 1, why: .lockStep)
        report.options.recordingPlace = .file("shop.silt")
        var markdown = ""
        MarkdownExport.render(report, into: &markdown)
        #expect(markdown.contains("\ngrows in step with it: cache\\_fill cache.c:9 +40 B/request\n"), "\(markdown)")
        let ranks = markdown.matches(of: #/\n\| (\d+) \|/#).compactMap { Int($0.1) }
        #expect(!ranks.isEmpty && ranks == Array(1...ranks.count), "\(markdown)")
        #expect(markdown.contains("\nnext: `silt report "), "\(markdown)")
    }

    /// Bars, backticks and brackets of C++ and Rust names are text in every place.
    @Test func namesOfFunctionsEndNoCellAndNoCode() throws {
        var report = try OrderServer.growingReport()
        let name = "a|b<`c``>::*_d"
        for index in report.sites.indices {
            report.sites[index].blame.function = name
            report.sites[index].caller = nil
        }
        var markdown = ""
        MarkdownExport.render(report, into: &markdown)
        let read = try consumed(tableReader, markdown)
        let place = try #require(report.sites.first { $0.isGrowing }).blame.place
        #expect(read.contains("'\(name) \(place)' ['code_inline']"), "\(read)")
    }

    private let sarifReader = """
        import json, sarif_pydantic, sys
        log = sarif_pydantic.Sarif.model_validate_json(sys.stdin.read())
        run = log.runs[0]
        print(run.tool.driver.name, [rule.id for rule in run.tool.driver.rules or []])
        print(run.invocations[0].execution_successful)
        for result in run.results:
            place = result.locations[0].physical_location
            line = place.region.start_line if place.region else None
            print(result.rule_id, result.level.value, place.artifact_location.uri, line, "|", result.message.text)
        """

    @Test func aReaderOfSARIFSeesEachFindingAtItsLine() throws {
        var sarif = ""
        SARIFExport.render(try OrderServer.growingReport(), into: &sarif)
        let read = try consumed(sarifReader, sarif)
        let lines = read.split(separator: "\n").map(String.init)
        #expect(lines.prefix(2) == ["silt ['growing-heap']", "True"], "\(read)")
        #expect(lines.dropFirst(2).contains { $0.hasPrefix("growing-heap error ") && $0.contains("http.c 77 | +") })
    }

    @Test func whatCouldNotBeMeasuredIsNoCleanRunOfCodeScanning() throws {
        var report = try OrderServer.growingReport()
        report.verdict = .inconclusive
        report.sites = []
        var sarif = ""
        SARIFExport.render(report, into: &sarif)
        #expect(try consumed(sarifReader, sarif) == "silt []\nFalse\n")
    }
}

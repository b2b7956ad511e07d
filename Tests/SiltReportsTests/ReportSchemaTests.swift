import Foundation
import SiltEvents
import SiltGrowth
import SiltRecording
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Sources/SiltReports/docs/silt-report.schema.json, by which others read reports.
@Suite struct ReportSchemaTests {
    private static let schema = packageRoot.appending(path: "Sources/SiltReports/docs/silt-report.schema.json")

    /// A key that the schema does not know is one that nobody was told of: here, and only here, it is an error.
    private let check = """
        import json, jsonschema, sys
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft202012Validator.check_schema(schema)
        def close(node, is_part=False):
            if isinstance(node, list):
                for part in node: close(part)
            if isinstance(node, dict):
                if ("properties" in node or "allOf" in node or "$ref" in node) and not is_part:
                    node["unevaluatedProperties"] = False
                for key, part in node.items():
                    if key == "allOf":
                        for item in part: close(item, True)
                    elif key != "$defs": close(part)
        close(schema)
        for part in schema["$defs"].values(): close(part, True)
        jsonschema.Draft202012Validator(schema).validate(json.load(sys.stdin))
        """

    private func errors(in report: String) throws -> String {
        try runProgram(["python3", "-c", check, Self.schema.path], input: report).errors
    }

    private func json(_ report: HeapReport) -> String {
        var output = ""
        JSONReport.render(report, into: &output)
        return output
    }

    @Test func reportsFollowTheirSchema() throws {
        var hunt = try ShopHunt.report()
        hunt.sites[0].pair = KnownPair(maker: "SSL_new", giver: "SSL_free")
        hunt.sites[1].follows = .init(rank: 1, why: .sameLine)
        hunt.recording.untraced = [RecordedUntraced(program: "./helper", reason: "statically linked")]
        for report in [try OrderServer.growingReport(), hunt] {
            let errors = try errors(in: json(report))
            #expect(errors.isEmpty, "\(errors)")
        }
    }

    @Test func aKeyThatTheSchemaDoesNotKnowIsSeen() throws {
        let report = json(try OrderServer.growingReport())
        for place in ["\"rank\": 1,", "\"lost\": 0,", "\"line\": 88,"] {
            let changed = report.replacing(place, with: place + " \"new\": 1,", maxReplacements: 1)
            #expect(changed != report, "\(place)")
            #expect(try errors(in: changed).contains("'new' was unexpected"), "\(place)")
        }
    }

    @Test func theSchemaHasEveryWord() throws {
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: Self.schema)) as? [String: Any]
        )
        func words(_ key: String) throws -> [String] {
            let site = try #require((schema["$defs"] as? [String: Any])?["site"] as? [String: Any])
            let properties = try #require(site["properties"] as? [String: Any])
            return try #require((properties[key] as? [String: Any])?["enum"] as? [String])
        }
        #expect(try words("kind") == Resource.allCases.map(\.name))
        #expect(try words("verdict") == SiltGrowth.Verdict.allCases.map(\.rawValue))
        #expect(try words("confidence") == Confidence.allCases.map(\.rawValue))
        let others: [Evidence.Reason] = [
            .tooFewSnapshots, .keptByRuntime, .inTurn, .loading, .inCaches, .processEnded, .damaged,
        ]
        #expect(try words("reason") == Reason.allCases.map(\.rawValue) + others.map(\.rawValue))
    }
}

package import SiltFindings
internal import SiltText

/// The report as one page that needs nothing else: no network, no other file.
package enum HTMLReport {
    /// The page with its data in it.
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        begin(title: title(report), isLive: false, into: &output)
        output.write("<script type=\"application/json\" id=\"silt-data\">")
        var data = InScript(output)
        PageData.render(report, into: &data)
        output = data.output
        output.write("</script>\n")
        end(into: &output)
    }

    /// The page without data: it asks for `api/page`, and again whenever `api/events` says `update`.
    package static var livePage: String {
        var page = ""
        begin(title: "silt", isLive: true, into: &page)
        end(into: &page)
        return page
    }

    private static func title(_ report: HeapReport) -> String {
        let command = report.recording.target.command.first ?? "silt"
        return escaped("\(command.lastPathComponent): \(report.verdict.rawValue)".printable)
    }

    /// What is shown comes from the recording, and recordings from anywhere: the page may run its own script alone.
    private static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'"

    private static func begin<Output: TextOutputStream>(title: String, isLive: Bool, into output: inout Output) {
        output.write(
            """
            <!DOCTYPE html>
            <html lang="en"\(isLive ? " data-live" : "")>
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <title>\(title)</title>
            <style>
            \(PageImage.style)</style>
            </head>
            <body>
            \(PageImage.body)
            """
        )
    }

    private static func end<Output: TextOutputStream>(into output: inout Output) {
        output.write("<script>\n\"use strict\";\n\(PageImage.script)</script>\n</body>\n</html>\n")
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "<": result += "&lt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }

    /// JSON as the text of a script element: nothing in it can end the element, or begin a comment.
    private struct InScript<Output: TextOutputStream>: TextOutputStream {
        var output: Output

        init(_ output: Output) { self.output = output }

        mutating func write(_ string: String) {
            // Only strings have this character, and there an escape means the same.
            output.write(string.utf8.contains(UInt8(ascii: "<")) ? string.replacing("<", with: "\\u003c") : string)
        }
    }
}

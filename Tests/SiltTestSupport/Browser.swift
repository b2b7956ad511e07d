import Foundation

/// Opens a page in headless Chromium and does what the lines say (Tests/Workloads/drive_page.py); an answer for each.
package func browse(_ page: String, _ lines: [String], seconds: Double = 120) throws -> [Any] {
    let script = packageRoot.appending(path: "Tests/Workloads/drive_page.py").path()
    // Chromium leaves folders of its own behind.
    let temporary = try ScratchFolder()
    let result = try runProgram(
        ["/usr/bin/python3", script, page],
        environment: ["TMPDIR": temporary.path],
        input: lines.joined(separator: "\n") + "\n",
        seconds: seconds
    )
    guard result.status == 0 else { throw TestSetupError(description: result.errors) }
    return try result.output.split(separator: "\n").map {
        try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
    }
}

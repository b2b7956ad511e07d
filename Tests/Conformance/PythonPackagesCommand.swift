import ArgumentParser
import Foundation
import SiltTestSupport

struct PythonPackagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "python-packages",
        abstract: "Hunt services that use twenty Python packages: none of them may be accused.",
        discussion: """
            Installs what Tests/Conformance/python/requirements.txt lists from PyPI into a virtual environment, and hunts
            a small service of each package by the defaults of silt hunt, as it is and with PYTHONMALLOC=malloc.
            A few services leak besides: that must be found, at its rate and where it is allocated. So must what
            versions of packages leak by themselves that Tests/Conformance/python/leaks.txt lists.

            Exit status: 0 none is accused and each leak is found, 1 otherwise.
            """
    )

    @OptionGroup var place: Place

    @Option(help: "These rows alone, separated by commas.")
    var only: String?

    @Option(help: "Hunts at a time.")
    var jobs = 2

    @Option(help: "Requests of a round.")
    var requests = 200

    @Flag(help: "Print the names of the rows.")
    var list = false

    private var services: [PythonService] {
        get throws { try chosen(only, of: PythonService.all, "row", called: \.name) }
    }

    func validate() throws {
        guard jobs > 0, requests > 0 else { throw ValidationError("hunts and requests are more than 0") }
        _ = try services
    }

    func run() throws {
        let services = try services
        if list { return print(services.map { "\($0.name) \($0.allocator.rawValue)" }.joined(separator: "\n")) }
        let rows = try place.with { silt, _, folder in
            let python = try PythonService.install(services, into: folder)
            let hunts = Hunts(silt: silt, folder: folder)
            let requests = requests
            print(PythonRow.heading)
            return inParallel(services, atMost: jobs) { service in
                service.row(hunts, python: python, requests: requests)
            } told: { row in
                print(row.line)
                fflush(nil)
            }
        }
        let bad = rows.filter { !$0.isGood }
        print("\(rows.count - bad.count) of \(rows.count) rows good")
        if !bad.isEmpty { throw ExitCode(1) }
    }
}

import ArgumentParser
import Foundation
import SiltTestSupport

/// How much a round asks for.
enum Load: String, CaseIterable, ExpressibleByArgument {
    case tenth
    case usual
    case tenfold

    func requests(of service: Service) -> Int {
        switch self {
        case .tenth: service.usual / 10
        case .usual: service.usual
        case .tenfold: service.usual * 10
        }
    }
}

struct ServicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "Hunt real servers with caches, without a leak and with a planted one: the verdicts must be right.",
        discussion: """
            Of a server without a leak nothing may be charged; it may still fill. Of a planted leak what is charged must be
            its bytes per request, within a tenth, and of its stacks. The caches are bounded, so RSS may not be in doubt.

            Exit status: 0 all rows are right, 1 one is wrong, 2 a program is missing and none is wrong.
            """
    )

    @OptionGroup var place: Place

    @Option(help: "These services alone, separated by commas.")
    var only: String?

    @Option(help: "This load alone: tenth, usual or tenfold.")
    var load: Load?

    @Option(help: "How often each row is hunted.")
    var times = 1

    @Option(help: "Longest time of one hunt, in seconds.")
    var limit = 900.0

    private var services: [Service] {
        get throws { try chosen(only, of: Service.all, "service", called: \.name) }
    }

    func validate() throws {
        guard times > 0 else { throw ValidationError("a row is hunted once or more often") }
        _ = try services
    }

    func run() throws {
        let (services, loads) = (try services, load.map { [$0] } ?? Load.allCases)
        var (wrong, rows, missing) = (0, 0, false)
        try place.with { silt, _, folder in
            print(ServiceHunt.heading)
            for service in services {
                let absent = (service.needs + ["gcc"]).filter { find($0) == nil }
                guard absent.isEmpty else {
                    print("\(service.name): missing: \(absent.joined(separator: ", "))")
                    missing = true
                    continue
                }
                let all = loads.flatMap { load in [true, false].map { (load: load, isFixed: $0) } }
                for row in all.flatMap({ Array(repeating: $0, count: times) }) {
                    rows += 1
                    do {
                        let hunt = try ServiceHunt(service, silt: silt, folder: folder, limit: limit)
                        let said = try hunt.row(requests: row.load.requests(of: service), isFixed: row.isFixed)
                        print(said.line)
                        wrong += said.faults.isEmpty ? 0 : 1
                    } catch {
                        print("\(service.name): WRONG: \(error)")
                        wrong += 1
                    }
                    fflush(nil)
                }
            }
        }
        print("\(rows - wrong) of \(rows) rows right")
        if wrong > 0 { throw ExitCode(1) }
        if missing { throw ExitCode(2) }
    }
}

internal import ArgumentParser
internal import Glibc
internal import SiltServer

/// `silt dashboard`: a Grafana dashboard for `/metrics`.
struct DashboardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dashboard",
        abstract: "Print a Grafana dashboard for the metrics that silt serves.",
        discussion: """
            silt dashboard > silt-dashboard.json

            Import the file in Grafana (Dashboards, New, Import), and let Prometheus scrape /metrics of silt serve or \
            silt run --serve.
            """
    )

    func run() throws { try Terminal.output(Dashboard.json) }
}

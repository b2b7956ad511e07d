internal import ArgumentParser
internal import SiltPlan
internal import SiltText

/// Every usage error of silt's own: what is wrong with a command line, and what to write instead.
enum Refusal {
    // MARK: Commands and options

    static func noCommand(_ word: String, _ advice: String) -> ValidationError {
        ValidationError("\(word) is not a command of silt: \(advice)")
    }

    static func meant(_ word: String) -> String { "did you mean \(word)?" }

    static func help(of command: String) -> String { "silt help \(command)" }

    static func noneNear(_ word: String) -> String {
        let use = word.hasSuffix(".silt") ? "read a recording: silt report" : "trace a program: silt run --"
        return "silt --help lists them; to \(use) \(word)"
    }

    static let onlyFromTheStart =
        "a program is traced from its start (silt run -- COMMAND, or preloaded: silt listen --help); of a running one "
        + "silt doctor PID says more"

    static func noSubcommand(_ command: [String]) -> ValidationError {
        ValidationError("to trace a command: silt run -- \(Format.commandLine(command))")
    }

    /// `help`: the command that lists the options.
    static func unknownOption(_ name: String, near: String?, help: String) -> ValidationError {
        ValidationError("unknown option \(name): \(near.map(meant) ?? "\(help) lists them")")
    }

    static func optionBeforeCommand(_ name: String, of command: String) -> ValidationError {
        ValidationError("\(name) goes behind a command: silt \(command) \(name) …")
    }

    /// An option among which a program may have been meant.
    static func commandBehindDashes(_ unknown: ValidationError) -> ValidationError {
        ValidationError("\(unknown.message)\(unknown.message.hasSuffix("?") ? "" : ";") the command stands after --")
    }

    static let runNeedsCommand = ValidationError("name a command: silt run -- ./server")
    static let huntNeedsPlan = ValidationError(
        "name a plan, or phases: --phase orders='hey -n 2000 http://127.0.0.1:8080/orders'"
    )
    static let checkNeedsPlan = ValidationError(
        "name a plan or a recording: silt check plan.yml (silt hunt --init plan.yml writes one)"
    )

    static func shimPath(_ path: String) -> ValidationError {
        ValidationError(
            "'\(path)' has a space or a colon in it, where LD_PRELOAD splits (ld.so(8)): choose another path"
        )
    }

    static let markNeedsName = ValidationError("a phase needs a name, on one line")
    static let markNeedsSocket = ValidationError("name the trace's socket: --socket S, or set SILT_SOCKET")

    // MARK: Views and files

    /// `others`: options, of which one is needed.
    static func worksOnlyWith(_ options: String, _ others: String) -> ValidationError {
        ValidationError("\(options) can only be used with \(others)")
    }

    static func stackChoice(_ views: String) -> ValidationError { worksOnlyWith("--root and --inverted", views) }

    static func resourceWorksWith(_ options: String) -> ValidationError {
        ValidationError("--resource can only be used with --list, --between, \(options); --pprof has all resources")
    }

    static func twoViews(_ first: String, _ second: String) -> ValidationError {
        ValidationError("\(first) and \(second) are two views: choose one")
    }

    static let twoOutputsToOnePlace = ValidationError("two outputs go to the same place: name a file for each")

    static func eventsInRecording(_ path: String) -> ValidationError {
        ValidationError("--out and --events both name \(path): name a file for each")
    }

    static let profileToTerminal = ValidationError(
        "a profile is not text: name a file, or redirect standard output to one"
    )
    static let diffNeedsTwo = ValidationError(
        "name two recordings, or one with two of its moments: --between start end"
    )
    static let betweenOfTwo = ValidationError("--between compares two moments of one recording: name only that one")

    static func betweenNeedsTwo(_ command: String) -> ValidationError {
        ValidationError("--between takes two moments; name the recording before it: silt \(command) F --between A B")
    }

    static let filesAreOfTheWholeRun = ValidationError(
        "files hold the whole run; for a part of it: silt diff F --between A B --pprof FILE"
    )
    static let filesHaveNoRates = ValidationError("--folded and --pprof write bytes, not rates: leave out --per")
    static let profileHasNoPeak = ValidationError(
        "a profile holds what is in use and what was allocated, no peak: leave out --by peak"
    )

    // MARK: Addresses

    static func listenAddress(_ text: String) -> ValidationError {
        ValidationError("--listen must be HOST:PORT, as 0.0.0.0:6070; found \(text)")
    }

    static let listenNeedsToken = ValidationError("--listen needs a token that requests must carry: set SILT_TOKEN")

    static func localAddress(_ text: String) -> ValidationError {
        ValidationError("expected a port or unix:PATH, found \(text)")
    }

    static func addressOfOthers(_ text: String) -> ValidationError {
        ValidationError("other machines reach \(text): use silt serve --listen \(text), with a token in SILT_TOKEN")
    }

    /// One that says itself what is wrong with an option.
    static func said(_ error: any Error) -> ValidationError { ValidationError("\(error)") }

    // MARK: Hunts

    /// Where a suppression stands that is refused.
    static let ofThePlan = "the plan"

    static let profilesOnlyNeedsAddress = HuntError.option(name: "--profiles-only", problem: "it needs --pprof URL")

    static func rounds(_ range: ClosedRange<Int>) -> HuntError {
        .option(name: "--rounds", problem: "expected \(range.lowerBound) to \(range.upperBound)")
    }
}

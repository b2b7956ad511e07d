internal import Glibc
internal import SiltEvents
internal import SiltPprof
internal import SiltSystem
internal import SiltText

extension HuntPlan {
    /// Reads a plan file: YAML, at most 1 MiB.
    ///
    /// Paths in it are relative to its folder.
    package init(path: String) throws(HuntError) {
        try self.init(yaml: try HuntPlan.textOfFile(path), file: path)
    }

    /// Reads the text of a plan; `file` is what errors call it, and paths in the plan are relative to its folder.
    package init(yaml: String, file: String) throws(HuntError) {
        let root: YAMLNode?
        do {
            root = try YAMLNode.read(yaml)
        } catch {
            throw .plan(file: file, line: error.line, problem: error.text)
        }
        guard let root else {
            throw .plan(file: file, line: 0, problem: "the plan is empty; silt hunt --init writes one to begin with")
        }
        self = try PlanReader(file: file).plan(root)
    }

    private static func textOfFile(_ path: String) throws(HuntError) -> String {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileBytes.read(path, limit: 1 << 20)
        } catch .tooLarge {
            throw .plan(file: path, line: 0, problem: "larger than 1 MiB, so not a plan; a service stands after --")
        } catch {
            throw .system(call: path, reason: error.description)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .plan(file: path, line: 0, problem: "not UTF-8, so not a plan; a service stands after --")
        }
        return text
    }
}

/// Turns the parts of a YAML document into a plan.
private struct PlanReader {
    let file: String

    private static let planFields = [
        "command", "environment", "working_directory", "ready", "ready_timeout", "idle", "final_idle", "settle",
        "rounds",
        "max_rounds", "confirm", "phases", "limits", "pprof", "memory_limit",
    ]
    private static let phaseFields = ["name", "script", "requests", "weight", "rounds", "timeout"]
    private static let limitFields =
        ["bytes_per_request", "site_bytes_per_request"] + Resource.counted.map(\.limitName) + ["allow"]

    func plan(_ root: YAMLNode) throws(HuntError) -> HuntPlan {
        let fields = try PlanFields(root, path: "", file: file, known: PlanReader.planFields)
        var plan = HuntPlan()
        plan.command = try command(fields)
        plan.environment = try environment(fields)
        plan.workingDirectory = try folder(fields)
        plan.ready = try readiness(fields)
        plan.readyTimeoutSeconds = try fields.seconds("ready_timeout") ?? plan.readyTimeoutSeconds
        plan.idleSeconds = try fields.seconds("idle", mayBeZero: true) ?? plan.idleSeconds
        plan.finalIdleSeconds = try fields.seconds("final_idle", mayBeZero: true) ?? plan.idleSeconds
        plan.settleSeconds = try fields.seconds("settle", mayBeZero: true) ?? plan.settleSeconds
        plan.confirmSeconds = try fields.seconds("confirm", mayBeZero: true) ?? plan.confirmSeconds
        plan.phases = try phases(fields)
        try readRounds(fields, into: &plan)
        plan.limits = try limits(fields)
        plan.memoryLimitBytes = try memoryLimit(fields)
        if let url = try fields.text("pprof") {
            do { _ = try PprofAddress(url) } catch { throw fields.problem("pprof", "\(error)") }
            plan.pprof = url
        }
        return plan
    }

    private func command(_ fields: PlanFields) throws(HuntError) -> [String] {
        guard let node = fields["command"] else { return [] }
        if case .list(let items) = node.content {
            guard !items.isEmpty else { throw fields.problem("command", "there is no word in it") }
            var words: [String] = []
            for (index, item) in items.enumerated() {
                words.append(try fields.text(of: item, "command[\(index)]"))
            }
            return words
        }
        switch CommandWords.split(try fields.text(of: node, "command")) {
        case .words(let words): return words
        case .problem(let problem): throw fields.problem("command", problem)
        }
    }

    private func environment(_ fields: PlanFields) throws(HuntError) -> [String: String] {
        guard let node = fields["environment"] else { return [:] }
        guard case .mapping(let entries) = node.content else {
            throw fields.wrong("environment", expected: "a mapping of names to values")
        }
        var variables: [String: String] = [:]
        for (key, value) in entries {
            guard case .scalar(let name?) = key.content, !name.isEmpty, !name.contains("=") else {
                throw PlanFields.wrong(key, "environment", expected: "the name of a variable", file)
            }
            guard case .scalar(let text) = value.content else {
                throw PlanFields.wrong(value, "environment." + name, expected: "a text", file)
            }
            guard variables.updateValue(text ?? "", forKey: name) == nil else {
                throw .plan(file: file, line: key.line, problem: "environment.\(name): there twice")
            }
        }
        return variables
    }

    private func folder(_ fields: PlanFields) throws(HuntError) -> String? {
        guard let text = try fields.text("working_directory") else { return nil }
        let path = beside(text)
        var status = stat()
        guard stat(path.system, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw fields.problem("working_directory", "\(path) is no folder")
        }
        return path
    }

    /// A path of the plan, seen from where silt runs.
    private func beside(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// `ready: 5s`, as on the command line, or `ready: {log: listening on}`.
    private func readiness(_ fields: PlanFields) throws(HuntError) -> Readiness {
        guard let node = fields["ready"] else { return .quiet }
        let words: String
        if case .mapping = node.content {
            let kinds = ["tcp", "unix", "http", "log", "time"]
            let inner = try PlanFields(node, path: "ready", file: file, known: kinds)
            let given = kinds.filter { inner.has($0) }
            guard given.count == 1, let text = try inner.text(given[0]) else {
                throw fields.problem("ready", "expected one of " + kinds.joined(separator: ", "))
            }
            words = given[0] == "http" ? text : given[0] + ":" + text
        } else {
            words = try fields.text(of: node, "ready")
        }
        do {
            return try Readiness(words)
        } catch {
            throw fields.problem("ready", error.problem)
        }
    }

    private func phases(_ fields: PlanFields) throws(HuntError) -> [HuntPhase] {
        guard case .list(let items) = try fields.require("phases").content, !items.isEmpty else {
            throw fields.wrong("phases", expected: "a list of phases, each with name and script")
        }
        var phases: [HuntPhase] = []
        for (index, item) in items.enumerated() {
            let phase = try self.phase(item, path: "phases[\(index)]")
            if let first = phases.firstIndex(where: { $0.name == phase.name }) {
                throw .plan(
                    file: file,
                    line: item.line,
                    problem: "phases[\(index)].name: \"\(phase.name)\" is the name of phases[\(first)] already"
                )
            }
            phases.append(phase)
        }
        return phases
    }

    private func phase(_ node: YAMLNode, path: String) throws(HuntError) -> HuntPhase {
        let fields = try PlanFields(node, path: path, file: file, known: PlanReader.phaseFields)
        let name = try fields.text(of: try fields.require("name"), path + ".name")
        if let problem = HuntPhase.problem(inName: name) { throw fields.problem("name", problem) }
        let script = try fields.text(of: try fields.require("script"), path + ".script")
        guard script.contains(where: { !$0.isWhitespace }) else { throw fields.problem("script", "it does nothing") }
        var phase = HuntPhase(name: name, script: script)
        phase.requestsPerRun = try fields.count("requests", atLeast: 1)
        phase.weight = try fields.share("weight") ?? phase.weight
        phase.rounds = try fields.count("rounds", atLeast: HuntPlan.minimumRounds)
        phase.timeoutSeconds = try fields.seconds("timeout") ?? phase.timeoutSeconds
        return phase
    }

    private func readRounds(_ fields: PlanFields, into plan: inout HuntPlan) throws(HuntError) {
        plan.rounds = try fields.count("rounds", atLeast: HuntPlan.minimumRounds) ?? plan.rounds
        let longest = plan.phases.compactMap(\.rounds).reduce(plan.rounds, max)
        guard let most = try fields.count("max_rounds", atLeast: HuntPlan.minimumRounds) else {
            plan.maxRounds = max(plan.maxRounds, longest)
            return
        }
        guard most >= longest else {
            throw fields.problem("max_rounds", "it is \(most), less than the \(longest) rounds that are planned")
        }
        plan.maxRounds = most
    }

    private func limits(_ fields: PlanFields) throws(HuntError) -> HuntLimits {
        var limits = HuntLimits()
        guard let node = fields["limits"] else { return limits }
        let fields = try PlanFields(node, path: "limits", file: file, known: PlanReader.limitFields)
        limits.maxBytesPerRequest = try fields.bytes("bytes_per_request")
        limits.maxSiteBytesPerRequest = try fields.bytes("site_bytes_per_request")
        for resource in Resource.counted {
            limits.maxObjectsPerRequest[resource] = try fields.share(resource.limitName)
        }
        guard let allow = fields["allow"] else { return limits }
        guard case .list(let lines) = allow.content else {
            let path = beside(try fields.text(of: allow, "limits.allow"))
            guard access(path.system, R_OK) == 0 else {
                throw fields.problem("allow", "\(path): \(errorText(errno))")
            }
            limits.allowFile = path
            return limits
        }
        for (index, line) in lines.enumerated() {
            let text = try fields.text(of: line, "limits.allow[\(index)]")
            guard text.hasPrefix("leak:"), text.count > "leak:".count else {
                throw PlanFields.wrong(line, "limits.allow[\(index)]", expected: "leak:PATTERN", file)
            }
            limits.allow.append(text)
        }
        return limits
    }

    private func memoryLimit(_ fields: PlanFields) throws(HuntError) -> UInt64? {
        guard let bytes = try fields.bytes("memory_limit") else { return nil }
        guard bytes >= 1 else { throw fields.wrong("memory_limit", expected: "a size greater than 0") }
        return UInt64(bytes)
    }
}

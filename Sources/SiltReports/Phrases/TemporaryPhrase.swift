internal import SiltFindings
internal import SiltText

/// What a site asked for in vain.
enum TemporaryPhrase {
    /// As `59,000 of 60,000 blocks freed at once; 30 moved by realloc, with 16.0 KiB in them`.
    static func line(_ site: ReportSite) -> String {
        let all = Format.plural(site.allocatedCount, "block")
        var parts: [String] = []
        if site.temporaryCount > 0 { parts.append("\(Format.count(site.temporaryCount)) of \(all) freed at once") }
        if site.movedCount > 0 {
            let whole = parts.isEmpty ? " of \(all)" : ""
            let bytes = Format.bytes(site.movedBytes)
            parts.append("\(Format.count(site.movedCount))\(whole) moved by realloc, with \(bytes) in them")
        }
        if site.stackCount > 1 {
            parts.append("by \(Format.plural(UInt64(site.stackCount), "stack")), of which this one has most")
        }
        return parts.joined(separator: "; ")
    }
}
